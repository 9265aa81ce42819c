import { runAsWorker } from 'synckit'

runAsWorker(async (input) => input)

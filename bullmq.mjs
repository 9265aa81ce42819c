import bullmq from './bullmq.js'

export const { createProcessor, guard } = bullmq
export default bullmq

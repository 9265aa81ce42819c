import fleet from './fleet.js'

export const { Fleet } = fleet
export default fleet

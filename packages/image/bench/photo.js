'use strict'

const [WIDTH, HEIGHT] = [4000, 3000]

/** 12 megapixels like a photograph: noise of four sizes, the coarse stronger than the fine. The same each time. */
function pixels() {
  let seed = 12345
  const random = () => {
    seed ^= seed << 13
    seed ^= seed >>> 17
    seed ^= seed << 5
    return (seed >>> 0) / 2 ** 32
  }
  const layers = [256, 64, 16, 4].map((cell, index) => {
    const columns = Math.ceil(WIDTH / cell) + 2
    const grid = Float32Array.from({ length: columns * (Math.ceil(HEIGHT / cell) + 2) * 3 }, random)
    return { cell, columns, grid, weight: [110, 70, 40, 18][index] }
  })
  const data = Buffer.alloc(WIDTH * HEIGHT * 3)
  for (let y = 0, at = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++)
      for (let channel = 0; channel < 3; channel++, at++) {
        let value = 10
        for (const { cell, columns, grid, weight } of layers) {
          const [left, top] = [Math.floor(x / cell), Math.floor(y / cell)]
          const [across, down] = [x / cell - left, y / cell - top]
          const corner = (top * columns + left) * 3 + channel
          const above = grid[corner] * (1 - across) + grid[corner + 3] * across
          const below = grid[corner + columns * 3] * (1 - across) + grid[corner + columns * 3 + 3] * across
          value += weight * (above * (1 - down) + below * down)
        }
        data[at] = Math.min(255, value)
      }
  return data
}

module.exports = { WIDTH, HEIGHT, pixels }

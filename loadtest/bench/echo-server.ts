/** The least a Node server can do: for every `requestSize` bytes that come, `answerSize` bytes go. */
import { createServer } from 'node:net'

const [port, requestSize, answerSize] = process.argv.slice(2).map(Number) as [number, number, number]
const answers = Buffer.alloc(answerSize * 4096)

createServer({ noDelay: true }, (socket) => {
  let pending = 0
  socket.on('data', (bytes) => {
    pending += bytes.length
    const whole = Math.min(Math.floor(pending / requestSize), 4096)
    pending -= whole * requestSize
    if (whole > 0) socket.write(answers.subarray(0, whole * answerSize))
  })
  socket.on('error', () => socket.destroy())
}).listen(port, '127.0.0.1')

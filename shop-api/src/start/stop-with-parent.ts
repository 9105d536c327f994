/**
 * Loaded into a program before its own code (`node --import`): asks it to stop when the process that started it is
 * gone, however that ended, because then the pipe it holds on the standard input closes.
 */
process.stdin.on('end', () => process.kill(process.pid, 'SIGTERM'))
process.stdin.on('error', () => process.kill(process.pid, 'SIGTERM'))
process.stdin.resume()
if ('unref' in process.stdin) process.stdin.unref()

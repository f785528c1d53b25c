import CLinux

/// An open file, pipe or socket that closes with its last reference.
package final class Descriptor: Sendable {
    package let number: Int32

    package init(_ number: Int32) { self.number = number }

    deinit { close(number) }

    /// Reads at most `buffer.count` bytes; 0 at the end.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        try systemCall("read") { CLinux.read(number, buffer.baseAddress, buffer.count) }
    }

    /// Reads at most `count` bytes; empty at the end.
    package func read(upTo count: Int) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(SystemError) {
                filled = try read(into: UnsafeMutableRawBufferPointer(buffer))
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Writes all of `bytes`, waiting as long as it takes.
    package func writeAll(_ bytes: [UInt8]) throws(SystemError) {
        var start = 0
        while start < bytes.count {
            start += try systemCall("write") {
                bytes.withUnsafeBytes { CLinux.write(number, $0.baseAddress! + start, bytes.count - start) }
            }
        }
    }

    /// Waits until bytes can be read (or the other end has gone). False when the time has passed; nil waits for ever.
    package func waitReadable(milliseconds: Int?) throws(SystemError) -> Bool {
        try wait(for: Int16(POLLIN), milliseconds: milliseconds)
    }

    /// Waits until bytes can be written. False when the time has passed; nil waits for ever.
    package func waitWritable(milliseconds: Int?) throws(SystemError) -> Bool {
        try wait(for: Int16(POLLOUT), milliseconds: milliseconds)
    }

    private func wait(for events: Int16, milliseconds: Int?) throws(SystemError) -> Bool {
        var interest = pollfd(fd: number, events: events, revents: 0)
        let timeout = milliseconds.map { Int32(clamping: max(0, $0)) } ?? -1
        return try systemCall("poll") { Int(poll(&interest, 1, timeout)) } > 0
    }

    package func setNonBlocking(_ on: Bool) {
        let flags = aos_fcntl(number, F_GETFL, 0)
        _ = aos_fcntl(number, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK)
    }

    /// A file from its beginning.
    package static func openToRead(_ path: String) throws(SystemError) -> Descriptor {
        Descriptor(Int32(try systemCall("open", path) { Int(aos_open(path, O_RDONLY | O_CLOEXEC, 0)) }))
    }

    /// A pipe: what is written to `writer` comes out of `reader`.
    package static func pipe() throws(SystemError) -> (reader: Descriptor, writer: Descriptor) {
        var pair: [Int32] = [-1, -1]
        try systemCall("pipe") { Int(aos_pipe(&pair)) }
        return (Descriptor(pair[0]), Descriptor(pair[1]))
    }
}

extension Descriptor {
    /// The next read starts so many bytes from the beginning of the file.
    package func seek(to offset: Int64) throws(SystemError) {
        try systemCall("lseek") { Int(lseek(number, Int(offset), SEEK_SET)) }
    }
}

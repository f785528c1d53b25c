import CLinux

/// The screen that a program may be talking to.
package enum Terminal {
    /// Whether the descriptor is shown to a person.
    package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// How wide the screen behind the descriptor is; nil when there is none, or it does not say.
    package static func columns(_ descriptor: Int32) -> Int? {
        let columns = Int(aos_terminal_columns(descriptor))
        return columns > 0 ? columns : nil
    }

    /// Writes to standard output (1) or standard error (2), waiting as long as it takes.
    package static func write(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError) {
        var start = 0
        while start < bytes.count {
            start += try systemCall("write", descriptor == 1 ? "standard output" : "standard error") {
                bytes.withUnsafeBytes { CLinux.write(descriptor, $0.baseAddress! + start, bytes.count - start) }
            }
        }
    }

    /// Reads a line of standard input, without its end: what a person was asked for. A longer one is cut.
    package static func readLine(bytesMax: Int) throws(SystemError) -> String {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while line.count < bytesMax, try systemCall("read", "standard input", { read(0, &byte, 1) }) == 1 {
            if byte == UInt8(ascii: "\n") { break }
            line.append(byte)
        }
        return String(decoding: line, as: UTF8.self)
    }

    /// Reads standard input to its end. Throws `EFBIG` when that is more than `bytesMax`.
    package static func readInput(bytesMax: Int) throws(SystemError) -> [UInt8] {
        let copy = try systemCall("dup", "standard input") { Int(dup(0)) }
        return try Descriptor(Int32(copy)).readAll(bytesMax: bytesMax, "standard input")
    }
}

/// What the machine's time zone does to a point in time.
package enum LocalTime {
    /// Seconds east of Greenwich at that moment.
    package static func offsetSeconds(atMilliseconds milliseconds: Int64) -> Int {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        tzset()
        return localtime_r(&seconds, &parts) == nil ? 0 : parts.tm_gmtoff
    }
}

extension SystemError {
    /// The reader of a pipe has gone.
    package var isBrokenPipe: Bool { number == EPIPE }
    package var isDenied: Bool { number == EACCES || number == EPERM }
}

extension Files {
    /// How much may still be written by this user where the path is; nil when that cannot be known.
    package static func freeBytes(_ path: String) -> Int64? {
        var found = statvfs()
        guard statvfs(path, &found) == 0 else { return nil }
        return Int64(clamping: UInt64(found.f_bavail) * UInt64(found.f_frsize))
    }

    /// Makes the file empty, or new; the umask decides who may read it.
    package static func create(_ path: String, mode: UInt32 = 0o666) throws(SystemError) -> Descriptor {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        return Descriptor(Int32(try systemCall("open", path) { Int(aos_open(path, flags, mode)) }))
    }
}

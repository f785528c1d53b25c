import CLinux

/// The signals that a program acts on, as values that one thread waits for.
package final class Signals: Sendable {
    package enum Signal: Sendable { case terminate, interrupt, hangUp }

    private let descriptor: Descriptor

    /// Takes the signals away from their default actions. Call it on the main thread before any other thread starts:
    /// threads inherit what is blocked.
    package init() throws(SystemError) {
        var wanted = sigset_t()
        sigemptyset(&wanted)
        for signal in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&wanted, signal) }
        pthread_sigmask(SIG_BLOCK, &wanted, nil)
        // Writing to a pipe whose reader has gone is an error of that write, not the end of the program.
        aos_ignore_broken_pipes()
        descriptor = Descriptor(Int32(try systemCall("signalfd") { Int(aos_signalfd(&wanted)) }))
    }

    /// Waits for the next signal; nil when the time has passed. Nil waits for ever.
    package func next(milliseconds: Int? = nil) throws(SystemError) -> Signal? {
        guard try descriptor.waitReadable(milliseconds: milliseconds) else { return nil }
        let bytes = try descriptor.read(upTo: MemoryLayout<signalfd_siginfo>.size)
        guard bytes.count == MemoryLayout<signalfd_siginfo>.size else { return nil }
        let number = bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
        switch Int32(number) {
        case SIGTERM: return .terminate
        case SIGINT: return .interrupt
        case SIGHUP: return .hangUp
        default: return nil
        }
    }
}

/// The process itself: what a program asks of the system at its start and end.
package enum Program {
    /// All environment variables.
    package static func environment() -> [String: String] {
        var variables: [String: String] = [:]
        guard var next = aos_environ() else { return [:] }
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            next += 1
        }
        return variables
    }

    /// The arguments after the program's name.
    package static var arguments: [String] { Array(CommandLine.arguments.dropFirst()) }

    package static var processID: Int32 { getpid() }
    package static var userID: UInt32 { getuid() }

    package static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, 255) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether standard error is shown to a person.
    package static var hasTerminal: Bool { isatty(2) == 1 }

    /// Ends the program at once, without running what is left on other threads.
    package static func exit(_ code: Int32) -> Never {
        fflush(nil)
        _exit(code)
    }

    /// Makes sure that 0, 1 and 2 are open, so that no file of ours ever gets one of these numbers.
    package static func openStandardDescriptors() {
        while true {
            let number = aos_open("/dev/null", O_RDWR, 0)
            if number < 0 { return }
            if number > 2 {
                close(number)
                return
            }
        }
    }

    /// Writes a line to standard output at once: whoever reads it through a pipe waits for it.
    package static func say(_ line: String) {
        fflush(nil)
        let bytes = Array((line + "\n").utf8)
        _ = write(1, bytes, bytes.count)
    }

    /// Writes a line to standard error.
    package static func complain(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(2, bytes, bytes.count)
    }
}

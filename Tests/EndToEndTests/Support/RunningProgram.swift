import CLinux
import Platform
import Synchronization
import Testing

/// One of the product's programs as a process of its own, ended by its pid and nothing else.
final class RunningProgram: Sendable {
    enum Exit: Hashable, Sendable {
        case code(Int)
        case signal(Int)
        /// Somebody else in this process has taken the exit status.
        case unknown
    }

    private static let lineBytesMax = 4096

    let name: String
    let pid: Int32
    /// Where its standard error goes.
    let logPath: String
    private let ended: Descriptor
    private let output: Descriptor
    private let exit = Mutex<Exit?>(nil)

    private init(_ name: String, _ pid: Int32, _ logPath: String, _ ended: Descriptor, _ output: Descriptor) {
        (self.name, self.pid, self.logPath, self.ended, self.output) = (name, pid, logPath, ended, output)
    }

    deinit {
        if exit.withLock({ $0 == nil }) {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
    }

    /// The folder of the test binary, where the package's programs are built to; or where others of them are (a release
    /// build, for measuring).
    static let folder: String =
        Program.environment()["AOS_E2E_PROGRAMS"] ?? Files.split(Files.resolved("/proc/self/exe") ?? "/").folder

    /// Starts `api` or `engine` with this environment and nothing from ours.
    static func start(
        _ name: String, _ arguments: [String] = [], environment: [String: String], logPath: String
    ) throws -> RunningProgram {
        let output = try Descriptor.pipe()
        let log = try Descriptor.openToWrite(logPath)
        _ = lseek(log.number, 0, SEEK_END)
        let input = try Descriptor.openToRead("/dev/null")
        var environment = environment
        environment["PATH"] = "/usr/bin:/bin"
        environment["LANG"] = "C.UTF-8"
        // A crash must end at once, without a helper that keeps the pipes open.
        environment["SWIFT_BACKTRACE"] = "enable=no"
        let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let path = "\(folder)/\(name)"
        try #require(Files.exists(path), "\(path) is missing: build the package's products first")
        var pid: pid_t = 0
        let result = withCStrings([path] + arguments) { arguments in
            withCStrings(variables) { variables in
                aos_spawn(
                    &pid, path, arguments, variables, "/", input.number, output.writer.number, log.number)
            }
        }
        try #require(result == 0, "\(path) cannot be started: errno \(result)")
        let ended = Descriptor(aos_pidfd_open(pid))
        return RunningProgram(name, pid, logPath, ended, output.reader)
    }

    /// The first line of standard output; nil when none comes in time.
    func firstLine(milliseconds: Int) throws -> String? {
        var line: [UInt8] = []
        let clock = SystemClock()
        let end = clock.monotonicMilliseconds() + Int64(milliseconds)
        while line.count < Self.lineBytesMax {
            let left = end - clock.monotonicMilliseconds()
            guard left > 0, try output.waitReadable(milliseconds: Int(left)) else { return nil }
            let byte = try output.read(upTo: 1)
            if byte.isEmpty { return nil }
            if byte[0] == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line += byte
        }
        return nil
    }

    /// All it has written to standard output once it has ended.
    func wholeOutput() throws -> String {
        String(decoding: try output.readAll(bytesMax: 1 << 24), as: UTF8.self)
    }

    func send(_ signal: Int32) { kill(pid, signal) }

    /// `kill -9`, and waits until it is gone.
    func killNow() {
        send(SIGKILL)
        _ = waitForEnd(milliseconds: 10_000)
    }

    /// SIGTERM, and how it ended; nil when it has not in time.
    func terminate(milliseconds: Int) -> Exit? {
        send(SIGTERM)
        return waitForEnd(milliseconds: milliseconds)
    }

    var isRunning: Bool { waitForEnd(milliseconds: 0) == nil }

    /// How it ended; nil when it has not in time.
    func waitForEnd(milliseconds: Int) -> Exit? {
        if let exit = exit.withLock({ $0 }) { return exit }
        guard (try? ended.waitReadable(milliseconds: milliseconds)) == true else { return nil }
        return exit.withLock { exit in
            if exit != nil { return exit }
            var status: Int32 = 0
            exit =
                waitpid(pid, &status, 0) != pid
                ? .unknown
                : aos_wait_exited(status) != 0
                    ? .code(Int(aos_wait_exit_code(status))) : .signal(Int(aos_wait_signal(status)))
            return exit
        }
    }

    /// The end of its log, for a test that fails.
    func logTail(bytes: Int = 4000) -> String {
        let text = (try? Files.read(logPath, bytesMax: 1 << 26)) ?? []
        return String(decoding: text.suffix(bytes), as: UTF8.self)
    }
}

/// What `/proc` says, for the search for what should be gone.
enum Processes {
    /// The processes, zombies aside, that have the text in their arguments or their environment.
    static func naming(_ text: String) -> [Int32] {
        let needle = Array(text.utf8)
        return ((try? Files.list("/proc")) ?? []).compactMap { Int32($0) }.filter { pid in
            guard pid != getpid(), !isGone(pid) else { return false }
            return ["cmdline", "environ"].contains { name in
                guard let bytes = try? Files.read("/proc/\(pid)/\(name)", bytesMax: 1 << 20) else { return false }
                return contains(bytes, needle)
            }
        }
    }

    static func isGone(_ pid: Int32) -> Bool {
        guard let bytes = try? Files.read("/proc/\(pid)/stat", bytesMax: 4096),
            let end = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return true }
        let state = bytes[(end + 1)...].first { $0 != UInt8(ascii: " ") }
        return state == UInt8(ascii: "Z") || state == UInt8(ascii: "X")
    }

    static func contains(_ bytes: [UInt8], _ needle: [UInt8]) -> Bool {
        guard bytes.count >= needle.count, let first = needle.first else { return false }
        var start = 0
        while let found = bytes[start...].firstIndex(of: first), found + needle.count <= bytes.count {
            if bytes[found..<(found + needle.count)].elementsEqual(needle) { return true }
            start = found + 1
        }
        return false
    }
}

private func withCStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    let copies = strings.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    return body(copies)
}

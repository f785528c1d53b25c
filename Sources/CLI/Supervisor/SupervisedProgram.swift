import Platform

/// One program as a child, with a thread that stays with it to its end.
final class SupervisedProgram: Sendable {
    private static let setpriv = "/usr/bin/setpriv"

    private let signal = StopSignal()
    private let thread: Thread

    /// - Parameters:
    ///   - onOutput: Gets standard output in words, on the child's thread.
    ///   - onEnd: How it ended; nil and a reason when it could not be started.
    init(
        _ program: Sibling, _ path: String, _ environment: [String: String], graceMilliseconds: Int64,
        _ console: Console,
        onOutput: @escaping @Sendable ([String]) -> Void,
        onEnd: @escaping @Sendable (ProcessEnd.Exit?, String) -> Void
    ) {
        // Should this program be killed, its children are told to end.
        let guardian = Files.exists(Self.setpriv) ? [Self.setpriv, "--pdeathsig", "TERM", "--"] : []
        var command = ProcessCommand(
            guardian.first ?? path, guardian + [guardian.isEmpty ? program.rawValue : path], environment: environment)
        command.graceMilliseconds = graceMilliseconds
        let lines = LineForwarder(program, console)
        thread = Thread.start(program.rawValue) { [command, signal] in
            var lines = lines
            do throws(SystemError) {
                let end = try SystemProcesses().run(command, stop: signal) { stream, bytes in
                    switch stream {
                    case .standardError: lines.take(bytes)
                    case .standardOutput:
                        let text = String(decoding: bytes, as: UTF8.self)
                        onOutput(text.split(whereSeparator: \.isWhitespace).map(String.init))
                    }
                }
                lines.end()
                onEnd(end.exit, "")
            } catch { onEnd(nil, "\(error)") }
        }
    }

    /// Asks it to end.
    func terminate() { signal.stop(.drained) }

    /// Asks it to end, and waits for it.
    func stop() {
        terminate()
        thread.join()
    }
}

/// Hands a program's log on, line by line, with its name before each.
struct LineForwarder: Sendable {
    private static let lineBytesMax = 16 << 10

    private let prefix: String
    private let console: Console
    private var rest: [UInt8] = []

    init(_ program: Sibling, _ console: Console) {
        let name = TextWidth.padded(program.rawValue, to: 6)
        prefix = console.error.styled(
            "\(name) \(console.error.hasUnicode ? "│" : "|") ", program == .api ? .cyan : .magenta)
        self.console = console
    }

    mutating func take(_ bytes: ArraySlice<UInt8>) {
        rest += bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            ?? (rest.count > Self.lineBytesMax ? rest.count - 1 : nil)
        {
            say(rest[..<end])
            rest.removeSubrange(...end)
        }
    }

    mutating func end() {
        if !rest.isEmpty { say(rest[...]) }
        rest = []
    }

    private func say(_ line: ArraySlice<UInt8>) {
        console.note(prefix + CleanText.line(String(decoding: line, as: UTF8.self)))
    }
}

package import Platform

/// The programs that come with this one.
package enum Sibling: String, CaseIterable, Sendable {
    case api, engine

    /// Beside this program, else in PATH; nil when it is in neither.
    package func path(_ environment: [String: String]) -> String? {
        var folders: [String] = []
        if let own = Files.resolved("/proc/self/exe") { folders.append(Files.split(own).folder) }
        folders += (environment["PATH"] ?? "").split(separator: ":").filter { $0.hasPrefix("/") }.map(String.init)
        return folders.lazy.map { "\($0)/\(rawValue)" }.first { Files.status($0).map(Self.canRun) ?? false }
    }

    private static func canRun(_ status: Files.Status) -> Bool {
        status.kind == .link || status.kind == .file && status.mode & 0o111 != 0
    }

    /// - Throws: When the program is not installed.
    package func found(_ environment: [String: String]) throws(Failure) -> String {
        guard let path = path(environment) else {
            throw Failure(
                .failed, "the program '\(rawValue)' is neither beside aos nor in PATH",
                next: ["install it beside aos, or add its folder to PATH"])
        }
        return path
    }

    /// Verbs that work in the data directory and nowhere else.
    private static let inPlace: Set<String> = ["migrate", "rebuild", "verify"]

    /// Such a verb runs as the one who owns the data, where root asks: what root makes there the api could not touch any
    /// more.
    private static func command(_ path: String, _ arguments: [String], _ session: Session) throws -> ProcessCommand {
        var environment = session.environment
        let directory = try session.connection().dataDirectory
        environment["AOS_DATA_DIR"] = directory
        guard Program.userID == 0, arguments.dropFirst().first.map(inPlace.contains) == true,
            let status = Files.status(Files.resolved(directory) ?? directory),
            status.ownerID != 0,
            Files.exists(setpriv)
        else { return ProcessCommand(path, arguments, environment: environment) }
        let prefix = [
            "setpriv", "--reuid=\(status.ownerID)", "--regid=\(status.groupID)", "--clear-groups", "--", path,
        ]
        return ProcessCommand(setpriv, prefix + arguments.dropFirst(), environment: environment)
    }

    private static let setpriv = "/usr/bin/setpriv"

    /// Runs a verb of the program to its end and gives its output; what it complains about is handed on.
    package func run(_ arguments: [String], _ session: Session) throws -> (exit: ProcessEnd.Exit, output: [UInt8]) {
        let path = try found(session.environment)
        let interruption = try Interruption.bySignals()
        let stop = StopSignal()
        Thread.start("stop") { if interruption.wait(milliseconds: .max / 2_000_000) { stop.stop(.cancelled) } }
        var output: [UInt8] = []
        let command = try Self.command(path, [rawValue] + arguments, session)
        let end = try session.runner.run(command, stop: stop) { stream, bytes in
            switch stream {
            case .standardOutput: output += bytes
            case .standardError:
                for line in CleanText.lines(String(decoding: bytes, as: UTF8.self)) where !line.isEmpty {
                    session.console.note(line)
                }
            }
        }
        if stop.cause != nil { throw Failure(.usage, "stopped before it was done") }
        return (end.exit, output)
    }

    /// The same for a verb that says something when it succeeds.
    /// - Throws: When it says nothing; why is among the notes then.
    func output(_ arguments: [String], _ session: Session) throws -> [UInt8] {
        let (exit, output) = try run(arguments, session)
        guard output.isEmpty else { return output }
        switch exit {
        case .code(let code):
            throw Failure(
                ExitCode(rawValue: Int32(code)) ?? .failed,
                "`\(rawValue) \(arguments.joined(separator: " "))` ended with \(code)")
        case .signal(let signal):
            throw Failure(.failed, "`\(rawValue) \(arguments.joined(separator: " "))` was ended by signal \(signal)")
        }
    }
}

import Platform
import Shared

/// The `aos` program: understands the line, runs the command, says how it went.
package enum CLIProgram {
    /// - Returns: The exit code (`aos help exit-codes`).
    package static func run(_ arguments: [String], environment: [String: String]) -> Int32 {
        Program.openStandardDescriptors()
        let console = Console(environment: environment)
        return run(arguments, Session(console: console, environment: environment)).rawValue
    }

    /// The same for a session that a test has made.
    package static func run(_ arguments: [String], _ session: Session) -> ExitCode {
        // The answer that installers and editors ask for all the time.
        if arguments == ["--version"] { return version(session) }
        let request: Request
        do throws(UsageError) { request = try CommandLineParser(CommandTable.all).parse(arguments) } catch {
            return complain(error, session)
        }
        switch request {
        case .version: return version(session)
        case .help(let words): return perform("help", session) { try HelpCommand.show(words, session) }
        case .run(let invocation):
            session.use(workspace: invocation[.workspace])
            return perform(invocation.command.name, session) { try invocation.command.run(invocation, session) }
        }
    }

    private static func version(_ session: Session) -> ExitCode {
        session.console.print("aos \(ReleaseVersion.text)")
        session.console.flush()
        return .ok
    }

    private static func perform(_ command: String, _ session: Session, _ body: () throws -> ExitCode) -> ExitCode {
        let exit: ExitCode
        do {
            exit = try body()
            session.console.flush()
            return exit
        } catch let failure as Failure {
            exit = failure.exit
            say(failure, command, session)
        } catch let error as UsageError {
            return complain(error, session)
        } catch {
            // What the world does: a file that cannot be written, an answer that cannot be read.
            exit = .failed
            say(Failure(.failed, "\(error)"), command, session)
        }
        return exit
    }

    private static func say(_ failure: Failure, _ command: String, _ session: Session) {
        for line in failure.text(command: command, screen: session.console.error) { session.console.note(line) }
    }

    private static func complain(_ error: UsageError, _ session: Session) -> ExitCode {
        var next = error.suggestion.map { ["\($0)"] } ?? []
        next.append(error.topic.isEmpty ? "aos help" : "aos help \(error.topic.joined(separator: " "))")
        say(Failure(.usage, error.what, next: next), "", session)
        return .usage
    }
}

package import APIClient
import HTTPClient
import JSON
import Platform
package import Shared

/// Why a command did not do what it was asked: what failed, why, what to do next.
package struct Failure: Error, Hashable, Sendable {
    package var exit: ExitCode
    /// One sentence.
    package var what: String
    /// More lines about it: candidates, faults.
    package var lines: [String] = []
    /// Commands or actions that help.
    package var next: [String] = []
    /// Whether there was no answer, and may be one later.
    package var isOutage = false
    /// By which the api's log has it.
    package var requestID: String?

    package init(
        _ exit: ExitCode, _ what: String, lines: [String] = [], next: [String] = [], requestID: String? = nil
    ) {
        (self.exit, self.what, self.lines, self.next) = (exit, what, lines, next)
        self.requestID = requestID
    }

    /// For standard error.
    package func text(command: String, screen: Console.Screen) -> [String] {
        var text = [screen.styled("aos\(command.isEmpty ? "" : " " + command): ", .boldRed) + CleanText.line(what)]
        text += lines.map { "  " + CleanText.line($0) }
        text += next.map { screen.styled("  try: ", .dim) + CleanText.line($0) }
        if let requestID { text.append(screen.styled("  request: \(CleanText.line(requestID))", .dim)) }
        return text
    }
}

extension Failure {
    package init(_ failure: APIFailure, _ connection: Connection) {
        switch failure {
        case .refused(let problem):
            self.init(problem, connection)
            isOutage = problem.status == 503
        case .transport(.unreachable(let reason)):
            self.init(
                .failed, "the api at \(connection.url) cannot be reached: \(reason)",
                next: ["aos up", "set AOS_API_URL, if the api is somewhere else"])
            isOutage = true
        case .transport(.refusedURL(let reason)):
            self.init(.configuration, "AOS_API_URL=\(connection.url) cannot be used: \(reason)")
        case .transport(let error):
            self.init(.failed, "the api at \(connection.url) gave no answer: \(error)", next: ["aos doctor"])
            isOutage = true
        case .badAnswer(let detail):
            self.init(
                .failed, "what answers at \(connection.url) is not the api this program knows: \(detail)",
                next: ["aos doctor"])
        }
    }

    package init(_ problem: Problem, _ connection: Connection) {
        let prefix = "/requests/"
        let requestID =
            problem.instance.hasPrefix(prefix) ? String(problem.instance.dropFirst(prefix.count)) : problem.instance
        self.init(
            Self.exit(status: problem.status), "\(problem.detail) (\(problem.reasonCode))",
            next: Self.next(problem, connection), requestID: requestID.isEmpty ? nil : requestID)
    }

    private static func exit(status: Int) -> ExitCode {
        switch status {
        case 401: .authentication
        case 403: .denied
        default: .failed
        }
    }

    private static func next(_ problem: Problem, _ connection: Connection) -> [String] {
        switch problem.code {
        case .runNotFound: ["aos run list"]
        case .roomNotFound: ["aos room list"]
        case .approvalNotFound, .approvalAlreadyDecided, .approvalAlreadyConsumed, .approvalExpired:
            ["aos approvals --all"]
        case .artifactNotFound: ["aos artifact list"]
        case .killSwitchActive: ["aos kill status"]
        case .killSwitchSetByEnvironment:
            [
                "take POLICY_KILL_SWITCH_EXTERNAL_WRITE out of the api's environment file, then reload it:"
                    + " systemctl reload aos-api, or kill -HUP"
            ]
        case .missingBearerToken, .invalidSession, .operatorRequired: [connection.tokenAdvice]
        case .storageFull: ["free some space in the data directory; `aos doctor` shows how much is left"]
        case .draining, .overloaded, .storageUnavailable: ["wait a moment and try again", "aos status"]
        case .internalError: ["look for the request id in the api's log"]
        default: []
        }
    }
}

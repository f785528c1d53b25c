import APIClient
import HTTP
import HTTPClient
import JSON
import Platform
import Shared

/// Writes of a held run: each is repeated with the same content until it is answered or the lease is gone.
struct RunWriter: Sendable {
    enum Failure: Error {
        /// The lease is gone: nothing more may be written.
        case lost
        /// - Parameter isRepeat: Whether an earlier try stayed without an answer, and may have been carried out.
        case refused(Problem, isRepeat: Bool)

        var code: ReasonCode? {
            if case .refused(let problem, _) = self { problem.code } else { nil }
        }
    }

    static let deadlineMs = 10_000

    let client: APIClient
    let held: HeldRun
    let entropy: any Entropy
    let log: Log

    var token: String { held.run.claimToken }

    @discardableResult
    func send<Body: Encodable, Answer: Decodable>(
        _ endpoint: Endpoint<Body, Answer>, _ body: Body, _ parameters: [String: String] = [:],
        query: [(String, String)] = [], fields: HTTPFields = [:]
    ) throws(Failure) -> (status: HTTPStatus, answer: Answer) {
        try repeating(endpoint.path) { () throws(APIFailure) in
            try client.answer(endpoint, body, parameters, query, fields, Self.deadlineMs, held.cancellation)
        }
    }

    /// Ends our hold on the run. A repeat may find that its first try has ended it.
    /// - Returns: nil when that is so.
    func finish<Body: Encodable, Answer: Decodable>(
        _ endpoint: Endpoint<Body, Answer>, _ body: Body
    ) throws(Failure) -> Answer? {
        let parameters = ["run_id": held.id.rawValue]
        do throws(Failure) {
            return try repeating(endpoint.path, isLast: true) { () throws(APIFailure) in
                try client.call(
                    endpoint, body, parameters, deadlineMilliseconds: Self.deadlineMs, cancellation: held.cancellation)
            }
        } catch {
            guard case .refused(let problem, let isRepeat) = error, isRepeat, Self.endsLease(problem) else {
                throw error
            }
            // The lease is gone either way; only the run itself tells why.
            let run = try? client.call(.run, Nothing(), parameters).run
            guard let status = run?.status, status != .running else {
                held.lose("\(endpoint.path): \(problem.reasonCode)")
                throw .lost
            }
            return nil
        }
    }

    /// Sends a report that may find the work done already by its own first try.
    func report<Body: Encodable>(
        _ endpoint: Endpoint<Body, Done>, _ body: Body, _ parameters: [String: String],
        doneWhen codes: [ReasonCode]
    ) throws(Failure) {
        do throws(Failure) {
            try send(endpoint, body, parameters)
        } catch {
            guard case .refused(let problem, let isRepeat) = error, isRepeat, let code = problem.code,
                codes.contains(code)
            else { throw error }
        }
    }

    /// Repeats a call until it is answered.
    func repeating<Answer>(
        _ what: String, isLast: Bool = false, _ call: () throws(APIFailure) -> Answer
    ) throws(Failure) -> Answer {
        var backoff = Backoff(entropy: entropy)
        var isRepeat = false
        while true {
            if held.isLost { throw .lost }
            do throws(APIFailure) {
                return try call()
            } catch {
                if held.isLost { throw .lost }
                switch error {
                case .refused(let problem) where !Self.isTransient(problem):
                    if Self.endsLease(problem), !(isLast && isRepeat) {
                        held.lose("\(what): \(problem.reasonCode)")
                        throw .lost
                    }
                    throw .refused(problem, isRepeat: isRepeat)
                case .refused: break
                case .transport(.unreachable): break
                case .transport, .badAnswer: isRepeat = true
                }
                log.debug(
                    "write_repeated",
                    ["run": .text(held.id.rawValue), "call": .text(what), "reason": .text("\(error)")])
                held.checkLease()
                _ = held.waitForLoss(milliseconds: backoff.next())
            }
        }
    }

    private static func isTransient(_ problem: Problem) -> Bool {
        problem.status >= 500 || problem.status == 429 || problem.status == 408
            || problem.reasonCode == "idempotency_in_progress"
    }

    private static func endsLease(_ problem: Problem) -> Bool {
        switch problem.code {
        case .leaseTokenMismatch, .leaseExpired, .runNotRunning, .runAlreadyEnded, .runNotFound, .engineTokenInvalid,
            .engineTokenExpired, .engineInactive, .missingEngineToken:
            true
        default: problem.status == 401
        }
    }
}

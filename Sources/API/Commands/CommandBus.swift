import Crypto
import DatabaseCore
import EventStore
import HTTP
import HTTPServer
import JSON
import Platform
import Shared

/// Runs commands: each in the writer's transaction, answered after its commit.
struct CommandBus: Sendable {
    let environment: APIEnvironment
    let aftermath: Aftermath
    let problems: ProblemAnswers

    /// What a command says when it is through: a response, and perhaps something to do after the commit.
    struct Outcome: Sendable {
        var response: HTTPResponse
        /// Runs after the commit, before the answer; returning false means that it answers itself.
        var afterCommit: (@Sendable (DeferredReply, HTTPResponse) -> Bool)?
    }

    /// A command with a typed answer.
    func perform<Answer: Encodable & SendableMetatype>(
        _ context: RequestContext, _ status: HTTPStatus = .ok, isReplayable: Bool = true,
        _ command: @escaping @Sendable (Work) throws -> Answer
    ) -> Reply {
        run(context, isReplayable: isReplayable) { Outcome(response: try Answers.json(command($0), status)) }
    }

    /// A command that makes its response itself.
    func run(
        _ context: RequestContext, isReplayable: Bool = true, _ command: @escaping @Sendable (Work) throws -> Outcome
    ) -> Reply {
        let deferred = DeferredReply()
        run(context, into: deferred, isReplayable: isReplayable, command)
        return .later(deferred)
    }

    /// A command whose answer is already waited for.
    func run(
        _ context: RequestContext, into deferred: DeferredReply, isReplayable: Bool = true,
        _ command: @escaping @Sendable (Work) throws -> Outcome
    ) {
        let key: IdempotencyKey?
        do {
            key = isReplayable ? try IdempotencyKey(context) : nil
        } catch {
            deferred.complete(problems.answer(error, context))
            return
        }
        environment.database.write { transaction in
            let work = Work(transaction, environment, now: environment.now, trace: context.trace.context)
            if let key, let replay = try key.replay(in: transaction) { return Done(Outcome(response: replay), []) }
            var outcome = try command(work)
            if let last = work.recorded.last {
                outcome.response.fields.set(.xCommitSeq, String(last.envelope.globalSeq))
            }
            if let key { try key.keep(outcome.response, at: work.now, in: transaction) }
            return Done(outcome, work.recorded)
        } then: { (result: Result<Done, any Error>) in
            switch result {
            case .success(let done):
                aftermath.committed(done.recorded)
                let response = problems.traced(done.outcome.response, context)
                if let afterCommit = done.outcome.afterCommit, !afterCommit(deferred, response) { return }
                deferred.complete(response)
            case .failure(let error):
                deferred.complete(problems.answer(error, context))
            }
        }
    }

    /// A command of the system's own, such as a rescue: there is nobody to answer.
    /// - Parameter then: Hears whether it was committed.
    func perform(
        _ name: String, _ command: @escaping @Sendable (Work) throws -> Void,
        then: @escaping @Sendable (Bool) -> Void = { _ in }
    ) {
        environment.database.write { transaction in
            let work = Work(transaction, environment, now: environment.now)
            try command(work)
            return work.recorded
        } then: { (result: Result<[Recorded<DomainEvent>], any Error>) in
            switch result {
            case .success(let recorded):
                aftermath.committed(recorded)
                then(true)
            case .failure(let error):
                environment.log.warning("\(name) failed", ["error": .text("\(error)")])
                then(false)
            }
        }
    }

    private struct Done: Sendable {
        var outcome: Outcome
        var recorded: [Recorded<DomainEvent>]

        init(_ outcome: Outcome, _ recorded: [Recorded<DomainEvent>]) {
            (self.outcome, self.recorded) = (outcome, recorded)
        }
    }
}

/// Words errors that come after a request's handler has returned, like the pipeline does before.
struct ProblemAnswers: Sendable {
    let word: @Sendable (any Error, RequestContext) -> HTTPResponse

    func answer(_ error: any Error, _ context: RequestContext) -> HTTPResponse { traced(word(error, context), context) }

    func traced(_ response: HTTPResponse, _ context: RequestContext) -> HTTPResponse { context.trace.marking(response) }
}

/// A request that may be sent again (`contract/README.md` 16): same key and body, same answer.
struct IdempotencyKey: Sendable {
    static let bytesMax = 255

    private let scope: String
    private let bodyDigest: String

    /// Nil when the request carries no key.
    init?(_ context: RequestContext) throws(Rejection) {
        guard var key = context.request.fields[.idempotencyKey] else { return nil }
        // A structured-field string has quotes; most clients send the bare token.
        if key.count >= 2, key.first == "\"", key.last == "\"" { key = String(key.dropFirst().dropLast()) }
        guard !key.isEmpty, key.utf8.count <= Self.bytesMax, key.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            throw Rejection(
                .invalidIdempotencyKey, "idempotency-key: expected 1 to \(Self.bytesMax) visible ASCII characters")
        }
        let route = "\(context.request.method.rawValue) \(context.request.target.path)"
        scope = "\(context.workspace)\n\(context.actor)\n\(route)\n\(key)"
        bodyDigest = SHA256.text(context.request.body)
    }

    /// The first answer, if there was one.
    func replay(in transaction: any ReadTransaction) throws -> HTTPResponse? {
        guard let first = try IdempotencyTable.find(scope, transaction) else { return nil }
        if first.status == IdempotencyTable.erasedStatus {
            throw Rejection(.answerErased, "the request was carried out; what it was answered has been erased since")
        }
        guard first.bodyDigest == bodyDigest else {
            throw Rejection(.idempotencyConflict, "this idempotency key was used with another body")
        }
        var response = HTTPResponse(
            HTTPStatus(code: first.status), fields: Answers.jsonFields, body: Array(first.body.utf8))
        response.fields.append(.idempotentReplayed, "true")
        return response
    }

    func keep(_ response: HTTPResponse, at now: Timestamp, in transaction: any WriteTransaction) throws {
        try IdempotencyTable.put(
            IdempotentAnswer(
                scope: scope, bodyDigest: bodyDigest, status: response.status.code,
                body: String(decoding: response.body, as: UTF8.self), createdAt: now), transaction)
    }
}

import Crypto
import HTTPServer
import Platform
import Shared

/// Hashes passphrases on a thread of its own: it takes tens of milliseconds on purpose, which neither the loop nor the
/// writer may spend.
final class Passphrases: Sendable {
    /// Logins that may wait; more are told to come again.
    static let queuedMax = 16

    private let environment: APIEnvironment
    private let problems: ProblemAnswers
    private let queue = JobQueue("api-passphrase", jobsMax: queuedMax)
    /// What an owner that is not there is compared with, so that it takes as long as one that is.
    private let nobody: PassphraseHash

    init(environment: APIEnvironment, problems: ProblemAnswers) {
        (self.environment, self.problems) = (environment, problems)
        nobody = PassphraseHash.placeholder(salt: environment.entropy.bytes(PassphraseHash.saltBytes))
    }

    func start() -> Thread { queue.start() }

    func stop() { queue.stop() }

    /// Hashes, then goes on with the hash's text on the passphrase thread; what either throws is the answer.
    /// - Returns: False when too many wait already: then that has been answered.
    @discardableResult
    func hash(
        _ passphrase: String, _ context: RequestContext, _ deferred: DeferredReply,
        then: @escaping @Sendable (String) throws -> Void
    ) -> Bool {
        add(context, deferred) { [environment] in
            let salt = environment.entropy.bytes(PassphraseHash.saltBytes)
            guard let hash = PassphraseHash(of: passphrase, salt: salt) else {
                throw Rejection(.overloaded, "there is no memory to hash a passphrase now; try again")
            }
            try then(hash.text)
        }
    }

    /// Compares, then goes on with what came out on the passphrase thread.
    /// - Parameter hash: Nil when there is no owner: the answer is no, after the same time.
    @discardableResult
    func compare(
        _ passphrase: String, with hash: String?, _ context: RequestContext, _ deferred: DeferredReply,
        then: @escaping @Sendable (Bool) throws -> Void
    ) -> Bool {
        add(context, deferred) { [nobody] in
            let known = hash.flatMap { PassphraseHash(text: $0) }
            let isMatch = (known ?? nobody).matches(passphrase)
            try then(isMatch && known != nil)
        }
    }

    private func add(
        _ context: RequestContext, _ deferred: DeferredReply, _ job: @escaping @Sendable () throws -> Void
    ) -> Bool {
        let isQueued = queue.add { [problems] in
            do { try job() } catch { deferred.complete(problems.answer(error, context)) }
        }
        if !isQueued {
            let refusal = Rejection(.overloaded, "\(Self.queuedMax) logins wait already; try again")
            deferred.complete(problems.answer(refusal, context))
        }
        return isQueued
    }
}

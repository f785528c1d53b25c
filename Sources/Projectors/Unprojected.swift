import Shared

/// The event types that no read model folds, each with the reason: the log itself is where they are read.
package enum Unprojected {
    package static let reasons: [String: String] = [
        "api.started": process, "api.stopped": process, "configuration.reloaded": process,
        "auth.login.failed": credentials, "auth.owner.created": credentials, "auth.session.issued": credentials,
        "auth.session.refreshed": credentials, "auth.session.revoked": credentials,
        "auth.web_session.ended": credentials, "auth.web_session.issued": credentials,
        "engine.deactivated": credentials, "engine.registered": credentials, "engine.token.issued": credentials,
        "engine.token.revoked": credentials,
        "event.erased": "folded by its target: what remains of it takes the target's place",
        "event.redacted": "a mark beside `secret.leaked.detected`, which has the lines of the redaction log",
        "learning.from_failure": lesson, "mistake.repeated": lesson,
        "log.backed_up": copies, "log.restored": copies,
        "policy.denied": decision, "policy.requires_approval": decision,
    ]

    private static let process = "what happened to the process: a list of it is the log"
    private static let credentials = """
        owners, sessions, engines and tokens hold hashes of secrets: they are operational tables, written in the same \
        transaction
        """
    private static let copies = "what happened to the log as a whole: a list of it is the log"
    private static let lesson = "a step on the way to `constraint.learned`, which has the counts"
    private static let decision = "a decision, read in the log; what is learned from it is `constraint.learned`"
}

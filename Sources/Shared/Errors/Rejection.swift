package import HTTP
package import JSON

/// A refusal: the code that clients branch on, a sentence for people, and the facts.
package struct Rejection: Error, Hashable, Sendable {
    package var reason: ReasonCode
    /// What was expected, what was found, what to do: one or two sentences, no secrets.
    package var detail: String
    package var details: JSONObject
    /// The code's own, but where the contract gives one code two: `engine_inactive` is 403 to the engine and 409 to who
    /// manages it.
    package var status: HTTPStatus

    package init(_ reason: ReasonCode, _ detail: String, details: JSONObject = [:], status: HTTPStatus? = nil) {
        (self.reason, self.detail, self.details) = (reason, detail, details)
        self.status = status ?? reason.status
    }

    /// How long to wait before trying again, for `Retry-After`; the default is a second.
    package static let retryAfterMember = "retry_after_sec"

    /// The refusal of a body or query member, with the member's name among the facts.
    package static func field(_ name: String, _ reason: ReasonCode, _ detail: String) -> Rejection {
        Rejection(reason, detail, details: ["field": .string(name)])
    }
}

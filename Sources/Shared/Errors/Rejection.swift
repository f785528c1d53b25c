package import JSON

/// A refusal: the code that clients branch on, a sentence for people, and the facts.
package struct Rejection: Error, Hashable, Sendable {
    package var reason: ReasonCode
    /// What was expected, what was found, what to do: one or two sentences, no secrets.
    package var detail: String
    package var details: JSONObject

    package init(_ reason: ReasonCode, _ detail: String, details: JSONObject = [:]) {
        (self.reason, self.detail, self.details) = (reason, detail, details)
    }

    /// The refusal of a body or query member, with the member's name among the facts.
    package static func field(_ name: String, _ reason: ReasonCode, _ detail: String) -> Rejection {
        Rejection(reason, detail, details: ["field": .string(name)])
    }
}

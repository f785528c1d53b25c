import HTTP

// What the secret scanner took out.

extension Endpoint where Body == Nothing, Answer == RedactionList {
    package static var redactions: Self {
        .init(
            .get, "/v1/audit/redactions",
            "Secrets that were taken out of events before they were written, newest first.",
            query: [
                .equals("event_id"), .equals("rule_id"),
                .choice("action", Redaction.Action.self, "Only such lines.", .invalidAction),
                .choice("stream_type", StreamType.self, "Only events of such streams.", .invalidStreamType),
                .equals("stream_id"), .limit(2_000, max: 10_000), .cursor,
            ])
    }
}

/// Lines of the redaction log, newest first.
package struct RedactionList: PagedAnswer, Codable, Hashable, Sendable {
    package var redactions: [Redaction]
    package var nextCursor: String?

    package init(redactions: [Redaction], nextCursor: String? = nil) {
        (self.redactions, self.nextCursor) = (redactions, nextCursor)
    }
}

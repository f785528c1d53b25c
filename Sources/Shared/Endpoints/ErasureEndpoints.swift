import HTTP

// Taking back what an event said.

extension Endpoint where Body == EraseEvent, Answer == ErasureAnswer {
    package static var eraseEvent: Self {
        .init(
            .post, "/v1/events/{event_id}/erase",
            "Erases what an event said, for good and everywhere; people only. That it was said, by whom and when, stays.",
            refuses: [.approvalPending, .eventAlreadyErased, .eventNotErasable, .eventNotFound, .runNotEnded],
            example: EraseEvent(reason: "The person it is about asked for it"),
            notes: """
                The payload and its salt go, and with them what was made of it: texts in read models, in search, in kept \
                answers to repeated requests (which are refused with `answer_erased` from then on), and an artifact's bytes that \
                nothing else names. Header, digests and hashes stay: the chain still verifies, and counts the event as erased. \
                `event.erased` records who, why, and what remains: identifiers, amounts and words of closed lists. `scrubbed` \
                says whether the database's files were rewritten without it: false where readers were in the way (it is done \
                again when they are gone), for a file over 1 GiB, and on Postgres, whose dead rows and WAL are the server's. The same \
                text in other events, in exports, backups and in what engines keep is not touched. There is no repetition: \
                the same request again is refused with `event_already_erased`.
                """)
    }
}

package struct EraseEvent: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [.required("reason", bytesMax: Limits.titleBytesMax)]

    package var reason: String?

    package init(reason: String? = nil) { self.reason = reason }
}

/// What was erased.
package struct ErasureAnswer: Codable, Hashable, Sendable {
    package var eventID: EventID
    package var eventType: String
    /// The `event.erased` that says so.
    package var erasedByEventID: EventID
    /// What the event was about: the keys of the rows that were folded again.
    package var ids: [String]
    /// Artifact bytes that nothing names any more, and were removed.
    package var blobsRemoved: Int
    /// Kept answers to repeated requests that were emptied.
    package var answersErased: Int
    /// Whether nothing of it is left in the database's files.
    package var scrubbed: Bool

    package init(
        eventID: EventID, eventType: String, erasedByEventID: EventID, ids: [String], blobsRemoved: Int = 0,
        answersErased: Int, scrubbed: Bool = false
    ) {
        (self.eventID, self.eventType, self.erasedByEventID) = (eventID, eventType, erasedByEventID)
        (self.ids, self.blobsRemoved, self.answersErased) = (ids, blobsRemoved, answersErased)
        self.scrubbed = scrubbed
    }
}

import HTTP

// Full-text search.

extension Endpoint where Body == Nothing, Answer == SearchAnswer {
    package static var search: Self {
        .init(
            .get, "/v1/search",
            "Finds a text, whatever its case, anywhere in what was said and kept; best hits first, then the newest.",
            query: [
                QueryParameter(
                    "q", "What to find, taken literally: 2 to \(SearchAnswer.queryCharactersMax) characters.",
                    refusal: .qTooShort, isRequired: true),
                .equals("room_id"), .equals("thread_id"),
                .choice("doc_type", SearchDocument.Kind.self, "Only documents of this kind."),
                .limit(20, max: 100), .cursor,
            ], refuses: [.invalidField],
            notes: """
                `excerpt` is HTML-escaped text whose only element is `<mark>`, around each hit; `content_text` is plain. Beyond the \
                newest 1,000 hits nothing is ranked, and `truncated` is true.
                """)
    }
}

/// What was found.
package struct SearchAnswer: PagedAnswer, Codable, Hashable, Sendable {
    package static let queryCharactersMin = 2
    package static let queryCharactersMax = 200

    package var docs: [SearchHit]
    /// Whether there are more hits than are ranked: then only the newest were looked at, and a longer `q` helps.
    package var truncated: Bool
    package var nextCursor: String?

    package init(docs: [SearchHit], truncated: Bool, nextCursor: String? = nil) {
        (self.docs, self.truncated, self.nextCursor) = (docs, truncated, nextCursor)
    }
}

/// What a search looks through: the text of one thing, as the event that brought it said it.
package struct SearchDocument: Hashable, Sendable, Codable {
    package enum Kind: String, CaseIterable, Codable, Sendable { case message, run, artifact, incident }

    /// The identifier of the thing itself.
    package var docID: String
    /// The event's place in the log: newer documents have higher numbers.
    package var docSeq: Int64
    package var workspaceID: WorkspaceID
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var docType: Kind
    package var title: String?
    /// All that is searched, the title included.
    package var contentText: String
    /// A language tag (RFC 5646), `und` where nobody said one.
    package var lang: String
    package var updatedAt: Timestamp

    package init(
        docID: String, docSeq: Int64, workspaceID: WorkspaceID, docType: Kind, contentText: String,
        at time: Timestamp
    ) {
        (self.docID, self.docSeq, self.workspaceID, self.docType) = (docID, docSeq, workspaceID, docType)
        (self.contentText, lang, updatedAt) = (contentText, Self.undetermined, time)
    }

    package static let undetermined = "und"
}

/// A document that a search has found.
package struct SearchHit: Hashable, Sendable, Codable {
    package var docID: String
    package var workspaceID: WorkspaceID
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var docType: SearchDocument.Kind
    package var title: String?
    /// How the text begins, as it is.
    package var contentText: String
    package var lang: String
    package var updatedAt: Timestamp
    /// Higher is better; it depends on the document and the query alone.
    package var score: Double
    /// The text around the first hit as HTML: what was said is escaped, and the only element is `<mark>` around hits.
    package var excerpt: String

    package init(_ document: SearchDocument, contentText: String, score: Double, excerpt: String) {
        (docID, workspaceID, roomID) = (document.docID, document.workspaceID, document.roomID)
        (threadID, docType, title) = (document.threadID, document.docType, document.title)
        (self.contentText, lang, updatedAt) = (contentText, document.lang, document.updatedAt)
        (self.score, self.excerpt) = (score, excerpt)
    }
}

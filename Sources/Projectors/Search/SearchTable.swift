package import DatabaseCore
import Domain
import EventStore
package import Shared

/// `proj_search_docs`: what a search looks through, and the search itself. The index that finds candidates quickly is
/// the database's own (``SearchIndex``); what is a hit, and how good it is, is decided here.
package enum SearchTable {
    /// Hits that are ranked: the newest so many. It bounds what a search costs, however common the text.
    package static let rankedMax = 1_000
    /// How much text a search reads to rank them.
    package static let readBytesMax = 8 << 20
    /// How much of a document's text an answer shows.
    package static let shownCharactersMax = 280

    static let table = Table<SearchDocument>(
        "proj_search_docs", keys: ["doc_id"],
        blank: SearchDocument(docID: "", docSeq: 0, workspaceID: "", docType: .message, contentText: "", at: .zero),
        columns: [
            Column("doc_id", \.docID),
            Column("doc_seq", \.docSeq),
            Column("workspace_id", \.workspaceID),
            Column("room_id", \.roomID),
            Column("thread_id", \.threadID),
            Column("doc_type", \.docType),
            Column("title", \.title),
            Column("content_text", \.contentText),
            Column("lang", \.lang),
            Column("updated_at", \.updatedAt),
        ],
        indexes: [
            // Not unique: where somebody cut the log's tail, the places are given out again while the documents are still
            // there. That is for verification to say, and must not stop the next append.
            "CREATE INDEX proj_search_docs_by_seq ON proj_search_docs (doc_seq)",
            // All that a search filters by, so that a candidate that is somebody else's costs no look at its text.
            """
            CREATE INDEX proj_search_docs_by_place
                ON proj_search_docs (doc_seq, workspace_id, room_id, thread_id, doc_type)
            """,
        ])

    static let projector = Projector(table) { recorded, transaction in
        guard let document = SearchDocument(recorded) else { return }
        try table.put(document, in: transaction)
    }

    /// Takes the document that an event brought out of search, and its words out of the index: for erasure.
    package static func remove(broughtBy globalSeq: Int64, _ transaction: any WriteTransaction) throws {
        guard let document = try table.all(where: " WHERE doc_seq = \(globalSeq)", in: transaction).first else {
            return
        }
        try SearchIndex.remove(document, transaction)
        try transaction.execute("DELETE FROM proj_search_docs WHERE doc_seq = \(globalSeq)")
    }
}

/// What to find, and where.
package struct SearchQuery: Sendable {
    /// Without case (``SearchText/folded(_:)``), two characters at least.
    var needle: [Unicode.Scalar]
    var workspaceID: WorkspaceID
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var docType: SearchDocument.Kind?

    package init(_ text: String, in workspace: WorkspaceID) {
        (needle, workspaceID) = (SearchText.folded(text), workspace)
    }

    /// ` AND …`: what a candidate has to be besides containing the text.
    var condition: SQL {
        var condition: SQL = " AND proj_search_docs.workspace_id = \(workspaceID)"
        if let roomID { condition.append(" AND proj_search_docs.room_id = \(roomID)") }
        if let threadID { condition.append(" AND proj_search_docs.thread_id = \(threadID)") }
        if let docType { condition.append(" AND proj_search_docs.doc_type = \(docType)") }
        return condition
    }
}

/// Where a list of hits goes on. It looks at the same documents as the first page did, whatever was written since.
package struct SearchCursor: Hashable, Sendable {
    /// The newest document there was.
    var horizon: Int64
    var score: Int64
    var docSeq: Int64

    init(horizon: Int64, score: Int64, docSeq: Int64) {
        (self.horizon, self.score, self.docSeq) = (horizon, score, docSeq)
    }

    /// Nil if the cursor is none of ours.
    package init?(_ cursor: ListCursor) {
        let parts = cursor.id.split(separator: ".").compactMap { Int64($0) }
        guard parts.count == 2 else { return nil }
        self.init(horizon: cursor.time.milliseconds, score: parts[0], docSeq: parts[1])
    }

    /// Opaque to clients.
    package var text: String {
        ListCursor(time: Timestamp(milliseconds: horizon), id: "\(score).\(docSeq)").text
    }
}

extension SearchTable {
    private struct Ranked {
        var score: Int64
        var docSeq: Int64
    }

    /// Documents that contain the text, best first, then the newest.
    package static func search(
        _ query: SearchQuery, after cursor: SearchCursor?, limit: Int, _ transaction: any ReadTransaction
    ) throws -> SearchAnswer {
        let horizon = try cursor?.horizon ?? newest(transaction)
        var (ranked, isTruncated) = try rank(query, upTo: horizon, transaction)
        if let cursor { ranked.removeAll { ($0.score, $0.docSeq) >= (cursor.score, cursor.docSeq) } }
        ranked.sort { ($0.score, $0.docSeq) > ($1.score, $1.docSeq) }
        let page = ranked.prefix(limit)
        let documents = try table.all(
            where: " WHERE doc_seq IN (\(list: page.map(\.docSeq)))", in: transaction)
        let bySeq = Dictionary(documents.map { ($0.docSeq, $0) }) { first, _ in first }
        let next = page.last.flatMap { last in
            page.count < ranked.count
                ? SearchCursor(horizon: horizon, score: last.score, docSeq: last.docSeq).text : nil
        }
        return SearchAnswer(
            docs: page.compactMap { ranked in bySeq[ranked.docSeq].map { hit($0, query, score: ranked.score) } },
            truncated: isTruncated, nextCursor: next)
    }

    private static func newest(_ transaction: any ReadTransaction) throws -> Int64 {
        try transaction.first("SELECT coalesce(max(doc_seq), 0) AS newest FROM proj_search_docs") {
            try $0.get("newest")
        } ?? 0
    }

    private static func rank(
        _ query: SearchQuery, upTo horizon: Int64, _ transaction: any ReadTransaction
    ) throws -> ([Ranked], isTruncated: Bool) {
        var (ranked, bytesRead, isTruncated): ([Ranked], Int, Bool) = ([], 0, false)
        try SearchIndex.eachCandidate(query, upTo: horizon, transaction) { docSeq, text in
            guard ranked.count < rankedMax, bytesRead < readBytesMax else {
                isTruncated = true
                return false
            }
            bytesRead += text.count
            let folded = SearchText.folded(String(decoding: text, as: UTF8.self))
            let hits = SearchText.places(of: query.needle, in: folded).count
            if hits > 0 {
                ranked.append(Ranked(score: SearchText.score(hits: hits, length: folded.count), docSeq: docSeq))
            }
            return true
        }
        return (ranked, isTruncated)
    }

    private static func hit(_ document: SearchDocument, _ query: SearchQuery, score: Int64) -> SearchHit {
        let text = document.contentText
        let places = SearchText.places(of: query.needle, in: SearchText.folded(text))
        return SearchHit(
            document, contentText: String(String.UnicodeScalarView(text.unicodeScalars.prefix(shownCharactersMax))),
            score: Double(score) / 1e6,
            excerpt: SearchText.excerpt(of: text, marking: places, length: query.needle.count))
    }
}

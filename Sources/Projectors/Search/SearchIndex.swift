import DatabaseCore
import Domain
import EventStore
import Shared

/// `proj_search_index`: which documents have which three characters in a row. All of search that is a database's own is
/// in this file and its neighbours: SQLite has FTS5 for it, Postgres the extension pg_trgm.
///
/// Either is given the text without case, and says which documents may contain something; ``SearchTable`` looks whether
/// they do.
enum SearchIndex {
    /// Closes every text, so that also its last two characters begin a term.
    static let endMark: Unicode.Scalar = "\u{1F}"
    static let termCharacters = 3

    static let projector = Projector(
        "proj_search_index", schema: Schema(sqlite: SQLiteSearchIndex.schema, postgres: PostgresSearchIndex.schema)
    ) { recorded, transaction in
        guard let document = SearchDocument(recorded) else { return }
        switch transaction.backend {
        case .sqlite: try SQLiteSearchIndex.add(document, transaction)
        case .postgres: try PostgresSearchIndex.add(document, transaction)
        }
    } eachRow: { transaction, body in
        // Each term, and in how many documents it is: what both can say of themselves.
        switch transaction.backend {
        case .sqlite: try SQLiteSearchIndex.eachTerm(transaction, body)
        case .postgres: try PostgresSearchIndex.eachTerm(transaction, body)
        }
    } clear: { transaction in
        switch transaction.backend {
        case .sqlite: try SQLiteSearchIndex.clear(transaction)
        case .postgres: try PostgresSearchIndex.clear(transaction)
        }
    }

    /// Takes the document out, and what it leaves behind in the index too.
    static func remove(_ document: SearchDocument, _ transaction: any WriteTransaction) throws {
        switch transaction.backend {
        case .sqlite: try SQLiteSearchIndex.remove(document, transaction)
        case .postgres: try PostgresSearchIndex.remove(document, transaction)
        }
    }

    /// Documents that may contain the text, newest first, until `body` returns false.
    static func eachCandidate(
        _ query: SearchQuery, upTo docSeq: Int64, _ transaction: any ReadTransaction,
        _ body: (_ docSeq: Int64, _ text: [UInt8]) throws -> Bool
    ) throws {
        // No text of ours has one, and neither database takes one.
        if query.needle.contains("\0") { return }
        let candidates =
            switch transaction.backend {
            case .sqlite: try SQLiteSearchIndex.candidates(query, upTo: docSeq, transaction)
            case .postgres: PostgresSearchIndex.candidates(query, upTo: docSeq)
            }
        guard let candidates else { return }
        try transaction.scan(candidates) { try body($0.get("doc_seq"), $0.bytes("content_text")) }
    }

    static func text(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}

import DatabaseCore
import Domain
import EventStore
import Shared

/// A table of the folded texts with an index of pg_trgm (PostgreSQL documentation, appendix F), which serves `LIKE`.
enum PostgresSearchIndex {
    static let schema: [SQL] = [
        // No key: where somebody cut the log's tail, the places are given out again while the texts are still there.
        #"CREATE TABLE proj_search_index (doc_seq BIGINT NOT NULL, folded_text TEXT COLLATE "C" NOT NULL)"#,
        "CREATE INDEX proj_search_index_by_seq ON proj_search_index (doc_seq)",
        // Without the extension a search reads all texts: slower, and right.
        """
        DO $$ BEGIN
            CREATE EXTENSION IF NOT EXISTS pg_trgm;
            CREATE INDEX proj_search_index_by_text ON proj_search_index USING gin (folded_text gin_trgm_ops);
        EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
            RAISE WARNING 'search is slow without pg_trgm (package postgresql-contrib): %', SQLERRM;
        END $$
        """,
    ]

    static func add(_ document: SearchDocument, _ transaction: any WriteTransaction) throws {
        try transaction.execute(
            "INSERT INTO proj_search_index (doc_seq, folded_text) VALUES (\(document.docSeq), \(folded(document)))")
    }

    /// The terms that FTS5 would have of the same texts.
    static func eachTerm(
        _ transaction: any ReadTransaction, _ body: (String, [SQLValue]) throws -> Void
    ) throws {
        var documents: [[Unicode.Scalar]: Int64] = [:]
        try transaction.scan("SELECT folded_text FROM proj_search_index") { row in
            let scalars = Array(try row.get("folded_text", as: String.self).unicodeScalars) + [SearchIndex.endMark]
            let length = SearchIndex.termCharacters
            guard scalars.count >= length else { return true }
            for term in Set((0...scalars.count - length).map { Array(scalars[$0..<$0 + length]) }) {
                documents[term, default: 0] += 1
            }
            return true
        }
        let terms = documents.map { (SearchIndex.text($0.key), $0.value) }
        for (term, count) in terms.sorted(by: { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }) {
            try body(term, [.text(term), .integer(count)])
        }
    }

    static func clear(_ transaction: any WriteTransaction) throws {
        try transaction.execute("DELETE FROM proj_search_index")
    }

    static func remove(_ document: SearchDocument, _ transaction: any WriteTransaction) throws {
        try transaction.execute(
            """
            DELETE FROM proj_search_index
                WHERE doc_seq = \(document.docSeq) AND folded_text = \(folded(document))
            """)
    }

    private static func folded(_ document: SearchDocument) -> String {
        SearchIndex.text(SearchText.folded(document.contentText))
    }

    static func candidates(_ query: SearchQuery, upTo docSeq: Int64) -> SQL? {
        var statement: SQL = """
            SELECT proj_search_docs.doc_seq, proj_search_docs.content_text FROM proj_search_index
                JOIN proj_search_docs ON proj_search_docs.doc_seq = proj_search_index.doc_seq
                WHERE proj_search_index.folded_text LIKE \(pattern(query.needle))
                    AND proj_search_index.doc_seq <= \(docSeq)
            """
        statement.append(query.condition)
        statement.append(" ORDER BY proj_search_index.doc_seq DESC")
        return statement
    }

    /// `%…%` with nothing in it that `LIKE` would read as more than itself.
    private static func pattern(_ needle: [Unicode.Scalar]) -> String {
        let special: Set<Unicode.Scalar> = ["%", "_", "\\"]
        return SearchIndex.text(["%"] + needle.flatMap { special.contains($0) ? ["\\", $0] : [$0] } + ["%"])
    }
}

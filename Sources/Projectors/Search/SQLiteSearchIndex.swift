import DatabaseCore
import Domain
import EventStore
import Shared

/// SQLite's FTS5 (https://sqlite.org/fts5.html). It folds nothing and keeps no text. `detail=none` makes it a quarter of
/// the size that exact positions would need. Documents are numbered by the log, so the newest come first without sorting.
enum SQLiteSearchIndex {
    /// Terms that one pair of characters may begin; more different characters than this follow no pair in practice.
    private static let termsMax = 4_096

    static let schema: [SQL] = [
        """
        CREATE VIRTUAL TABLE proj_search_index USING fts5(
            folded_text, content='', columnsize=0, detail=none, tokenize='trigram case_sensitive 1')
        """,
        "CREATE VIRTUAL TABLE proj_search_terms USING fts5vocab(proj_search_index, 'row')",
    ]

    static func add(_ document: SearchDocument, _ transaction: any WriteTransaction) throws {
        try transaction.execute(
            "INSERT INTO proj_search_index (rowid, folded_text) VALUES (\(document.docSeq), \(indexed(document)))")
    }

    /// What can be read back of an index that keeps no text.
    static func eachTerm(
        _ transaction: any ReadTransaction, _ body: (String, [SQLValue]) throws -> Void
    ) throws {
        try transaction.scan("SELECT term, doc FROM proj_search_terms ORDER BY term") { row in
            try body(row.get("term"), [row.value("term"), row.value("doc")])
            return true
        }
    }

    static func clear(_ transaction: any WriteTransaction) throws {
        try transaction.execute("INSERT INTO proj_search_index (proj_search_index) VALUES ('delete-all')")
    }

    static func remove(_ document: SearchDocument, _ transaction: any WriteTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO proj_search_index (proj_search_index, rowid, folded_text)
                VALUES ('delete', \(document.docSeq), \(indexed(document)))
            """)
        // Deleting only adds a mark to the terms; merging all there is drops terms and mark.
        try transaction.execute("INSERT INTO proj_search_index (proj_search_index) VALUES ('optimize')")
    }

    private static func indexed(_ document: SearchDocument) -> String {
        SearchIndex.text(SearchText.folded(document.contentText) + [SearchIndex.endMark])
    }

    /// Nil if no document can contain it.
    static func candidates(
        _ query: SearchQuery, upTo docSeq: Int64, _ transaction: any ReadTransaction
    ) throws -> SQL? {
        guard let expression = try expression(for: query.needle, transaction) else { return nil }
        // CROSS JOIN keeps the index outside: its order is the answer's.
        var statement: SQL = """
            SELECT proj_search_docs.doc_seq, proj_search_docs.content_text FROM proj_search_index
                CROSS JOIN proj_search_docs ON proj_search_docs.doc_seq = proj_search_index.rowid
                WHERE proj_search_index MATCH \(expression) AND proj_search_index.rowid <= \(docSeq)
            """
        statement.append(query.condition)
        statement.append(" ORDER BY proj_search_index.rowid DESC")
        return statement
    }

    /// What FTS5 is asked: all terms of the text; or, for two characters, any term that begins with them. Everything is
    /// quoted, so nothing in it is an operator. Nil if no document can contain it.
    private static func expression(
        for needle: [Unicode.Scalar], _ transaction: any ReadTransaction
    ) throws -> String? {
        let length = SearchIndex.termCharacters
        if needle.count >= length {
            let terms = (0...needle.count - length).map { SearchIndex.text(needle[$0..<$0 + length]) }
            return Set(terms).sorted().map(quoted).joined(separator: " AND ")
        }
        let (first, last) = (SearchIndex.text(needle), SearchIndex.text(needle + ["\u{10FFFF}"]))
        let terms = try transaction.all(
            "SELECT term FROM proj_search_terms WHERE term >= \(first) AND term <= \(last) LIMIT \(termsMax)"
        ) { try $0.get("term", as: String.self) }
        return terms.isEmpty ? nil : terms.map(quoted).joined(separator: " OR ")
    }

    /// Byte by byte: to Swift a quote with an accent on it is no quote, to FTS5 it is one.
    private static func quoted(_ term: String) -> String {
        let quote = UInt8(ascii: "\"")
        let inside = term.utf8.flatMap { $0 == quote ? [quote, quote] : [$0] }
        return String(decoding: [quote] + inside + [quote], as: UTF8.self)
    }
}

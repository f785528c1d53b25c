import DatabaseCore
import Domain
import EventStore
import Shared

/// `proj_search_index`: which documents have which three characters in a row. It is SQLite's FTS5
/// (https://sqlite.org/fts5.html), and all of search that is SQLite's own is in this file.
///
/// FTS5 folds nothing and keeps no text: it is given the text without case, and says which documents may contain
/// something; ``SearchTable`` looks whether they do. `detail=none` makes it a quarter of the size that exact positions
/// would need. Documents are numbered by the log, so the newest come first without sorting.
enum SearchIndex {
    /// Closes every text, so that also its last two characters begin a term.
    private static let endMark: Unicode.Scalar = "\u{1F}"
    /// Terms that one pair of characters may begin; more different characters than this follow no pair in practice.
    private static let termsMax = 4_096
    private static let termCharacters = 3

    static let projector = Projector(
        "proj_search_index",
        schema: [
            """
            CREATE VIRTUAL TABLE proj_search_index USING fts5(
                folded_text, content='', columnsize=0, detail=none, tokenize='trigram case_sensitive 1')
            """,
            "CREATE VIRTUAL TABLE proj_search_terms USING fts5vocab(proj_search_index, 'row')",
        ]
    ) { recorded, transaction in
        guard let document = SearchDocument(recorded) else { return }
        try transaction.execute(
            """
            INSERT INTO proj_search_index (rowid, folded_text) VALUES (\(document.docSeq), \(indexed(document)))
            """)
    } eachRow: { transaction, body in
        // Each term, and in how many documents it is: what can be read back of an index that keeps no text.
        try transaction.each("SELECT term, doc FROM proj_search_terms ORDER BY term") { row in
            try body(row.get("term"), [row.value("term"), row.value("doc")])
            return true
        }
    } clear: { transaction in
        try transaction.execute("INSERT INTO proj_search_index (proj_search_index) VALUES ('delete-all')")
    }

    /// Takes the document out, and what it leaves behind in the index too.
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
        text(SearchText.folded(document.contentText) + [endMark])
    }

    /// Documents that may contain the text, newest first, until `body` returns false.
    static func eachCandidate(
        _ query: SearchQuery, upTo docSeq: Int64, _ transaction: any ReadTransaction,
        _ body: (_ docSeq: Int64, _ text: [UInt8]) throws -> Bool
    ) throws {
        guard let expression = try expression(for: query.needle, transaction) else { return }
        // CROSS JOIN keeps the index outside: its order is the answer's.
        var statement: SQL = """
            SELECT proj_search_docs.doc_seq, proj_search_docs.content_text FROM proj_search_index
                CROSS JOIN proj_search_docs ON proj_search_docs.doc_seq = proj_search_index.rowid
                WHERE proj_search_index MATCH \(expression) AND proj_search_index.rowid <= \(docSeq)
            """
        statement.append(query.condition)
        statement.append(" ORDER BY proj_search_index.rowid DESC")
        try transaction.each(statement) { try body($0.get("doc_seq"), $0.bytes("content_text")) }
    }

    /// What FTS5 is asked: all terms of the text; or, for two characters, any term that begins with them. Everything is
    /// quoted, so nothing in it is an operator. Nil if no document can contain it.
    private static func expression(
        for needle: [Unicode.Scalar], _ transaction: any ReadTransaction
    ) throws -> String? {
        // FTS5 reads a text up to its first NUL, and no text of ours has one.
        if needle.contains("\0") { return nil }
        if needle.count >= termCharacters {
            let terms = (0...needle.count - termCharacters).map { text(needle[$0..<$0 + termCharacters]) }
            return Set(terms).sorted().map(quoted).joined(separator: " AND ")
        }
        let (first, last) = (text(needle), text(needle + ["\u{10FFFF}"]))
        let terms = try transaction.all(
            "SELECT term FROM proj_search_terms WHERE term >= \(first) AND term <= \(last) LIMIT \(termsMax)"
        ) { try $0.get("term", as: String.self) }
        return terms.isEmpty ? nil : terms.map(quoted).joined(separator: " OR ")
    }

    private static func text(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// Byte by byte: to Swift a quote with an accent on it is no quote, to FTS5 it is one.
    private static func quoted(_ term: String) -> String {
        let quote = UInt8(ascii: "\"")
        let inside = term.utf8.flatMap { $0 == quote ? [quote, quote] : [$0] }
        return String(decoding: [quote] + inside + [quote], as: UTF8.self)
    }
}

import DatabaseCore
import HTTP
import HTTPServer
import Projectors
import Shared

struct SearchRoutes: Sendable {
    let environment: APIEnvironment

    func mount(on routes: inout RouteTable) {
        routes.get(.search, .operatorOnly, search)
    }

    @Sendable private func search(_ context: RequestContext) throws -> SearchAnswer {
        let text = context.query("q") ?? ""
        let count = text.unicodeScalars.count
        guard count >= SearchAnswer.queryCharactersMin else {
            throw Rejection.field(
                "q", .qTooShort, "q: expected at least \(SearchAnswer.queryCharactersMin) characters, found \(count)")
        }
        guard count <= SearchAnswer.queryCharactersMax else {
            throw Rejection.field(
                "q", .invalidField, "q: expected at most \(SearchAnswer.queryCharactersMax) characters, found \(count)")
        }
        var query = SearchQuery(text, in: context.workspace)
        query.roomID = context.query("room_id").map { RoomID($0) }
        query.threadID = context.query("thread_id").map { ThreadID($0) }
        query.docType = try context.choice("doc_type")
        let (limit, cursor) = (try context.limit(default: 20, max: 100), try context.cursor { SearchCursor($0) })
        return try environment.database.read { [query] in
            try SearchTable.search(query, after: cursor, limit: limit, $0)
        }
    }
}

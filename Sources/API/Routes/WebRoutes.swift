import HTTP
import HTTPServer
import Shared

/// The web UI: its pages, which are all one document, its files, and the way from a page to what it shows.
struct WebRoutes: Sendable {
    private static let document = "index.html"

    let files: WebFiles

    func mount(on routes: inout RouteTable) {
        routes.raw(.landing, .anyone, home)
        routes.page(WebPage.homeTwin) { try twin(of: WebPage.all[0], $0) }
        for page in WebPage.all where page.path != "/" {
            routes.page(page.path) { try show(page, $0) }
            if !page.path.hasSuffix("}") {
                routes.page(page.path + WebPage.twinSuffix) { try twin(of: page, $0) }
            }
        }
        routes.page("/runs/new") { try document($0) }
        routes.page("/favicon.ico") { try file("icon.svg", $0) }
        routes.page("/ui/{file}") { try file($0.parameters["file"] ?? "", $0) }
        routes.page("/ui/{folder}/{file}") {
            try file("\($0.parameters["folder"] ?? "")/\($0.parameters["file"] ?? "")", $0)
        }
    }

    /// The home page for a browser; for anything else the sentence that says where to look.
    @Sendable private func home(_ context: RequestContext) throws -> Reply {
        let service = WebLink("/openapi.json", .serviceDescription).description
        let offers = ["text/plain", "text/html"]
        if AcceptedMediaTypes(context.request.fields.all(.accept)).best(of: offers) == "text/html",
            files.file(Self.document) != nil
        {
            return try file(Self.document, context, also: [.link: service, .vary: "accept"])
        }
        return .now(
            HTTPResponse(
                .ok, fields: [.contentType: "text/plain; charset=utf-8", .link: service, .vary: "accept"],
                body: Array("AgentOS api; see docs/reference.".utf8)))
    }

    /// A page, or its twin: a parameter that ends with the suffix is of the page's twin.
    @Sendable private func show(_ page: WebPage, _ context: RequestContext) throws -> Reply {
        guard context.request.target.path.hasSuffix(WebPage.twinSuffix) else { return try document(context) }
        var context = context
        for (name, value) in context.parameters where value.hasSuffix(WebPage.twinSuffix) {
            context.parameters[name] = String(value.dropLast(WebPage.twinSuffix.count))
        }
        return try twin(of: page, context)
    }

    /// The document is the same for everybody and says nothing: what it shows it has to read, as the caller.
    private func document(_ context: RequestContext) throws -> Reply { try file(Self.document, context) }

    private func twin(of page: WebPage, _ context: RequestContext) throws -> Reply {
        let query = context.request.target.rawQuery
        return .now(
            HTTPResponse(
                .temporaryRedirect,
                fields: [
                    .location: page.twin(context.parameters) + (query.isEmpty ? "" : "?\(query)"),
                    .cacheControl: "no-store",
                ]))
    }

    private func file(_ path: String, _ context: RequestContext, also fields: HTTPFields = [:]) throws -> Reply {
        guard let (bytes, mediaType) = files.file(path) else {
            throw Rejection(.routeNotFound, "nothing is at \(context.request.target.path.prefix(200))")
        }
        var all = WebFiles.fields
        for (name, value) in fields { all.append(name, value) }
        return .now(Answers.document(bytes, mediaType, fields: all, for: context.request))
    }
}

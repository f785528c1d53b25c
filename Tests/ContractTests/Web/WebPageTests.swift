import API
import APIClient
import HTTP
import JSON
import Platform
import Shared
import TestSupport
import Testing

@Suite("The web UI")
struct WebPageTests {
    private static let html: HTTPFields = [.accept: "text/html,application/xhtml+xml,*/*;q=0.8"]

    @Test("has one document for all its pages, with a policy that lets nothing else in", arguments: WebPage.all)
    func pages(_ page: WebPage) throws {
        try withAPI { api in
            let path = page.path.replacing("{", with: "").replacing("}", with: "")
            let answer = try api.stranger.get(path, fields: Self.html)
            #expect(answer.status == 200)
            #expect(answer.response.fields[.contentType] == "text/html; charset=utf-8")
            let policy = try #require(answer.response.fields[.contentSecurityPolicy])
            #expect(policy.hasPrefix("default-src 'none'"))
            for careless in ["unsafe", "http:", "https:", "*", "data:"] { #expect(!policy.contains(careless)) }
            #expect(policy.contains("trusted-types 'none'") && policy.contains("frame-ancestors 'none'"))
            #expect(answer.response.fields[.xContentTypeOptions] == "nosniff")
            #expect(answer.text.contains("<html lang="))
            // Neither script nor style stands in the document: the policy would stop them.
            #expect(!answer.text.contains("<style") && !answer.text.contains(" style=") && !answer.text.contains(" on"))
        }
    }

    @Test("leads every page's twin to what the page reads", arguments: WebPage.all)
    func twins(_ page: WebPage) throws {
        try withAPI { api in
            let path = page.path == "/" ? WebPage.homeTwin : page.path.replacing("{", with: "").replacing("}", with: "")
            let address = page.path == "/" ? path : path + WebPage.twinSuffix
            let answer = try api.stranger.get("\(address)?limit=3&q=a%20b")
            #expect(answer.status == 307)
            let location = try #require(answer.response.fields[.location])
            #expect(location.hasSuffix("?limit=3&q=a%20b") && !location.contains("{"))
            // What it leads to is an endpoint.
            let endpoint = api.application.endpoints.first { $0.method == .get && $0.path == page.twin }
            #expect(endpoint != nil, "\(page.twin) is no endpoint")
        }
    }

    @Test("serves its files with their types, and says 304 to who has them")
    func files() throws {
        try withAPI { api in
            for (path, type) in [
                ("/ui/app.js", "text/javascript; charset=utf-8"), ("/ui/app.css", "text/css; charset=utf-8"),
                ("/ui/core/api.js", "text/javascript; charset=utf-8"), ("/favicon.ico", "image/svg+xml"),
            ] {
                let answer = try api.stranger.get(path)
                #expect((answer.status, answer.response.fields[.contentType]) == (200, type))
                let tag = try #require(answer.response.fields[.etag])
                #expect(try api.stranger.get(path, fields: [.ifNoneMatch: tag]).status == 304)
            }
        }
    }

    @Test(
        "has nothing but its files",
        arguments: [
            "/ui/nothing.js", "/ui/core/nothing.js", "/ui/core", "/ui/app.swift", "/ui/.hidden.js", "/ui/core/.app.js",
            "/ui/%2e%2e/app.js", "/ui/..%2fapp.js", "/ui/core/app.js/x", "/ui/App.js", "/nothing", "/runs/a/b/c",
        ])
    func nothingElse(_ path: String) throws {
        try withAPI { api in
            let answer = try api.stranger.get(path, fields: Self.html)
            #expect((400...404).contains(answer.status))
            expectProblem(answer)
        }
    }

    @Test("tells a program at the root where to look, and shows a browser the home page")
    func root() throws {
        try withAPI { api in
            #expect(try api.stranger.get("/").response.fields[.contentType] == "text/plain; charset=utf-8")
            let page = try api.stranger.get("/", fields: Self.html)
            #expect(page.response.fields[.contentType] == "text/html; charset=utf-8")
            #expect(page.response.fields[.vary] == "accept")
        }
    }

    @Test("takes its files from a folder for who works on them, and nothing from outside it")
    func folder() throws {
        let folder = try TemporaryFolder()
        try Files.makeFolder("\(folder.path)/web")
        try Files.writeAtomically(Array("let a = 1".utf8), to: "\(folder.path)/web/app.js")
        try Files.writeAtomically(Array("let secret = 1".utf8), to: "\(folder.path)/secret.js")
        try withAPI(settings: ["AOS_WEB_DIR": "\(folder.path)/web"]) { api in
            #expect(try api.stranger.get("/ui/app.js").text == "let a = 1")
            try Files.writeAtomically(Array("let a = 2".utf8), to: "\(folder.path)/web/app.js")
            #expect(try api.stranger.get("/ui/app.js").text == "let a = 2")
            #expect(try api.stranger.get("/ui/%2e%2e/secret.js").status == 400)
        }
    }
}

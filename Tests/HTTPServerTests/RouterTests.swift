import HTTP
import HTTPServer
import Testing

@Suite("The router")
struct RouterTests {
    private let router: Router<String> = {
        var router = Router<String>()
        router.add(.get, "/", "root")
        router.add(.get, "/v1/runs", "list")
        router.add(.post, "/v1/runs", "create")
        router.add(.get, "/v1/runs/{run_id}", "get")
        router.add(.post, "/v1/runs/claim", "claim")
        router.add(.get, "/v1/runs/{run_id}/steps/{step_id}", "step")
        router.add(.delete, "/v1/runs/{id}", "delete")
        return router
    }()

    private func describe(_ method: HTTPMethod, _ target: String) throws -> String {
        switch router.match(method, try HTTPTarget(target)) {
        case .found(let value, let parameters):
            value + parameters.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        case .methodNotAllowed(let allow): "405 " + allow.map(\.rawValue).joined(separator: ",")
        case .notFound: "404"
        }
    }

    @Test(
        "finds routes and their parameters",
        arguments: [
            (HTTPMethod.get, "/", "root"), (.get, "/v1/runs?x=1", "list"), (.head, "/v1/runs", "list"),
            (.post, "/v1/runs", "create"),
            (.get, "/v1/runs/a%20b", "get run_id=a b"), (.delete, "/v1/runs/1", "delete id=1"),
            (.post, "/v1/runs/claim", "claim"), (.get, "/v1/runs/1/steps/2", "step run_id=1 step_id=2"),
            (.get, "/v1/runs/claim/steps/2", "step run_id=claim step_id=2"),
            (.put, "/v1/runs", "405 GET,HEAD,OPTIONS,POST"), (.options, "/v1/runs", "405 GET,HEAD,OPTIONS,POST"),
            (.post, "/v1/runs/1", "405 DELETE,GET,HEAD,OPTIONS"), (.get, "/v1", "404"), (.get, "/v1/runs/", "404"),
            (.get, "/v1//runs", "404"), (.get, "/v2/runs", "404"), (.get, "/v1/runs/1/steps", "404"),
            (.options, "*", "404"),
        ])
    func matches(_ method: HTTPMethod, _ target: String, _ wanted: String) throws {
        #expect(try describe(method, target) == wanted)
    }

    @Test("does not take a parameter of more than 100 bytes")
    func longParameters() throws {
        #expect(try describe(.get, "/v1/runs/" + String(repeating: "a", count: 100)).hasPrefix("get"))
        #expect(try describe(.get, "/v1/runs/" + String(repeating: "a", count: 101)) == "404")
    }
}

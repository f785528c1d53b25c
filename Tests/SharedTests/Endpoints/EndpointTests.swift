import HTTP
import Shared
import Testing

struct EndpointTests {
    @Test("an endpoint encodes its parameters so that the server reads them back")
    func endpoint() throws {
        let endpoint = Endpoint<Never, Never>(.get, "/v1/runs/{run_id}/steps/{step}", "A step.")
        let text = endpoint.target(["run_id": "a b?#", "step": "é"], query: [("q", "x&y=z+ ü")])
        #expect(text == "/v1/runs/a%20b%3F%23/steps/%C3%A9?q=x%26y%3Dz%2B%20%C3%BC")
        let target = try HTTPTarget(text)
        #expect(target.segments[2] == "a b?#")
        #expect(target.queryValue("q") == "x&y=z+ ü")
    }
}

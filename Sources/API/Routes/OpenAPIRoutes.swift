import HTTP
import HTTPServer
import JSON
import Shared
import Synchronization

/// `GET /openapi.json`: written from the endpoints when it is first asked for.
final class OpenAPIRoutes: Sendable {
    private struct State {
        var endpoints: [EndpointDescription] = []
        var document: [UInt8]?
    }

    private let state = Mutex(State())

    /// Mounted after all others, so that it knows them.
    func mount(on routes: inout RouteTable) {
        routes.raw(.openAPI, .anyone) { [self] _ in .now(document()) }
        let endpoints = routes.endpoints
        state.withLock { $0.endpoints = endpoints }
    }

    private func document() -> HTTPResponse {
        let bytes = state.withLock { state in
            let bytes = state.document ?? JSON.write(OpenAPIDocument.make(state.endpoints))
            state.document = bytes
            return bytes
        }
        return HTTPResponse(.ok, fields: [.contentType: "application/json", .cacheControl: "no-cache"], body: bytes)
    }
}

import HTTP
import HTTPServer
import Platform
import Synchronization

/// What one route has answered, and how fast. `HEAD` counts as the `GET` that serves it.
final class RequestMeter: Sendable {
    let method: String
    /// The template, never the path: paths are endless and hold what people wrote.
    let route: String
    let seconds = Histogram(.requestSeconds)
    let statuses = LabelledCounter<Int>()

    init(method: String, route: String) { (self.method, self.route) = (method, route) }

    func answered(_ response: HTTPResponse, seconds: Double) {
        statuses.add(response.status.code)
        self.seconds.observe(seconds)
    }
}

/// The meters of all routes.
final class RequestMeters: Sendable {
    /// For what is no request to any route.
    let unmatched = RequestMeter(method: "unknown", route: "unmatched")
    /// For the pages and files of the web UI.
    let pages = RequestMeter(method: "GET", route: "web")
    private let routes = Mutex<[RequestMeter]>([])

    func add(method: String, route: String) -> RequestMeter {
        let meter = RequestMeter(method: method, route: route)
        routes.withLock { $0.append(meter) }
        return meter
    }

    var all: [RequestMeter] { routes.withLock { $0 } + [pages, unmatched] }
}

/// The time a request takes, from its last byte to its answer's first.
struct Stopwatch: Sendable {
    private let clock: any Clock
    private let startNs: Int64

    init(_ clock: any Clock) { (self.clock, startNs) = (clock, clock.monotonicNanoseconds()) }

    var seconds: Double { Double(clock.monotonicNanoseconds() - startNs) / 1e9 }
}

import APIClient
import HTTPClient
import JSON
import Platform
import Shared

/// Reads the log from its beginning by `GET /v1/events` and its cursor while it grows, from one api after the other, and
/// keeps what it saw: whoever mirrors the log elsewhere does it so.
final class CursorReader: Sendable {
    private struct State {
        var places: [Int64] = []
        var runs: [RunID: String] = [:]
        var created: [String: [RunID]] = [:]
        var isStopping = false
    }

    /// Events after which nobody works on a run any more.
    private static let endTypes: Set<String> = ["run.completed", "run.failed", "run.cancelled", "run.waiting"]

    private let stages: [Stage]
    private let state = Monitor(State())
    private let thread = Monitor<Thread?>(nil)

    init(_ stages: Stage...) { self.stages = stages }

    /// The places in the log that it was shown, in the order that it was shown them.
    var places: [Int64] { state.read { $0.places } }

    /// The latest event of each run that says how it stands.
    var runs: [RunID: String] { state.read { $0.runs } }

    /// The runs that were created with a title, by their title.
    var created: [String: [RunID]] { state.read { $0.created } }

    /// Waits until so many runs need nobody any more. False when the time has passed.
    func waitForEnds(_ count: Int, milliseconds: Int64) -> Bool {
        state.wait(milliseconds: milliseconds) { state in
            state.runs.values.count { Self.endTypes.contains($0) } >= count ? true : nil
        } ?? false
    }

    var ends: Int { state.read { $0.runs.values.count { Self.endTypes.contains($0) } } }

    /// Waits until it has seen the log up to there. False when the time has passed.
    func wait(until place: Int64, milliseconds: Int64 = 20_000) -> Bool {
        state.wait(milliseconds: milliseconds) { $0.places.last ?? 0 >= place ? true : nil } ?? false
    }

    func start() {
        thread.update {
            $0 = Thread.start("cursor") { [self] in
                var turn = 0
                while !state.read({ $0.isStopping }) {
                    // It may be the one that was killed.
                    let isMore = (try? readOn(stages[turn % stages.count])) ?? false
                    turn += 1
                    if !isMore { _ = state.wait(milliseconds: 5) { $0.isStopping ? true : nil } }
                }
            }
        }
    }

    func stop() {
        state.update { $0.isStopping = true }
        thread.read { $0 }?.join(milliseconds: 10_000)
    }

    /// One page. False when there was none.
    private func readOn(_ stage: Stage) throws -> Bool {
        let page = try stage.client().call(
            .events, Nothing(),
            query: [("include_system", "1"), ("limit", "200"), ("cursor", String(places.last ?? 0))]
        ).events
        state.update { state in
            for event in page {
                state.places.append(event.globalSeq)
                guard let run = event.runID, event.eventType.hasPrefix("run.") else { continue }
                state.runs[run] = event.eventType
                if event.eventType == "run.created", let title = event.data["title"]?.stringValue {
                    state.created[title, default: []].append(run)
                }
            }
        }
        return !page.isEmpty
    }

    /// What is wrong with what a cursor showed of a log that ends at `last`: nil when it was all of it, once, in order.
    static func fault(in places: [Int64], upTo last: Int64) -> String? {
        for (index, place) in places.enumerated() where place != Int64(index) + 1 {
            return "after \(index) came \(place), expected \(index + 1)"
        }
        return Int64(places.count) == last ? nil : "it ended at \(places.count), the log at \(last)"
    }
}

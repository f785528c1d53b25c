import APIClient
import Shared
import Testing

/// The api's refusal of a call; nil when it was carried out, or failed in another way.
func refusal<Answer>(of call: () throws -> Answer) -> Problem? {
    do {
        _ = try call()
        return nil
    } catch {
        guard case .refused(let problem)? = error as? APIFailure else { return nil }
        return problem
    }
}

extension Done {
    func expectOK(_ location: SourceLocation = #_sourceLocation) { #expect(ok, sourceLocation: location) }
}

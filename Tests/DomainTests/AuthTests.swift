import Shared
import Testing

@testable import Domain

struct LoginThrottleTests {
    let key = LoginThrottle.Key(workspace: "ws_a", peer: "127.0.0.1")

    @Test("Five attempts are free, then each waits twice as long, up to a quarter of an hour")
    func waits() {
        var throttle = LoginThrottle()
        for _ in 0..<LoginThrottle.freeAttempts { #expect(throttle.begin(key, nowMs: 0) == nil) }
        var now: Int64 = 0
        for expected in [15_000, 30_000, 60_000, 120_000, 240_000, 480_000, 900_000, 900_000] as [Int64] {
            #expect(throttle.begin(key, nowMs: now + 1) == expected - 1)
            #expect(throttle.begin(key, nowMs: now + expected - 1) == 1)
            now += expected
            #expect(throttle.begin(key, nowMs: now) == nil)
        }
    }

    @Test("A success forgets, an hour forgets, and an attempt that was never made does not count")
    func forgets() {
        var throttle = LoginThrottle()
        for _ in 0..<LoginThrottle.freeAttempts { _ = throttle.begin(key, nowMs: 0) }
        #expect(throttle.begin(key, nowMs: 0) != nil)
        var succeeded = throttle
        succeeded.succeeded(key)
        #expect(succeeded.begin(key, nowMs: 0) == nil)
        var withdrawn = throttle
        withdrawn.withdrawn(key)
        #expect(withdrawn.begin(key, nowMs: 0) == nil)
        var later = throttle
        for _ in 0..<LoginThrottle.freeAttempts {
            #expect(later.begin(key, nowMs: LoginThrottle.forgottenMilliseconds) == nil)
        }
    }

    @Test("Another workspace, another peer and none are counted apart, in bounded memory")
    func keys() {
        var throttle = LoginThrottle()
        for _ in 0..<LoginThrottle.freeAttempts { _ = throttle.begin(key, nowMs: 0) }
        #expect(throttle.begin(.init(workspace: "ws_b", peer: "127.0.0.1"), nowMs: 0) == nil)
        #expect(throttle.begin(.init(workspace: "ws_a", peer: "::1"), nowMs: 0) == nil)
        #expect(throttle.begin(.init(workspace: nil, peer: nil), nowMs: 0) == nil)
        for number in 0..<LoginThrottle.keysMax + 10 {
            _ = throttle.begin(.init(workspace: "ws_a", peer: "10.0.\(number)"), nowMs: 1)
        }
        #expect(throttle.count == LoginThrottle.keysMax)
    }
}

struct SessionDeciderTests {
    let owner = Owner(ownerID: "own_1", workspaceID: "ws_a", principalID: "p", displayName: "Min")
    let lifetimes = SessionDecider.Lifetimes(accessMilliseconds: 1_000, refreshMilliseconds: 10_000)
    let now = World.start

    private func issue(_ id: SessionID = "ses_1", live: [AuthSession] = []) -> AuthSession {
        SessionDecider.issue(
            id, to: owner, lifetimes, live: live, from: .init(), at: now, correlationID: "c"
        ).session
    }

    private func refresh(_ session: AuthSession, isCurrent: Bool, after milliseconds: Int64) -> SessionDecider.Refresh {
        SessionDecider.refresh(
            session, isCurrent: isCurrent, lifetimes, from: .init(peer: "::1"),
            at: now.adding(milliseconds: milliseconds), correlationID: "c")
    }

    @Test("A passphrase of an owner has eight characters or more, and is never trimmed")
    func passphrases() throws {
        #expect(try SessionDecider.passphrase("  spaces ") == "  spaces ")
        #expect(try SessionDecider.passphrase("päßwörtä") == "päßwörtä")
        #expect(reason { _ = try SessionDecider.passphrase("1234567") } == .weakPassphrase)
        for none in [nil, ""] { #expect(reason { _ = try SessionDecider.passphrase(none) } == .missingPassphrase) }
        let long = String(repeating: "a", count: AuthRules.passphraseBytesMax + 1)
        #expect(reason { _ = try SessionDecider.given(long) } == .invalidField)
    }

    @Test("A refresh begins both terms anew, and no access outlives its session")
    func refreshing() {
        let session = issue()
        guard case .rotated(let next, let event) = refresh(session, isCurrent: true, after: 9_999) else {
            Issue.record("it was refused")
            return
        }
        #expect(next.refreshExpiresAt == now.adding(milliseconds: 19_999))
        #expect(next.accessExpiresAt == now.adding(milliseconds: 10_999))
        #expect(event.event.type == "auth.session.refreshed" && event.actor == owner.actor)
        let short = SessionDecider.issue(
            "ses_2", to: owner, .init(accessMilliseconds: 10, refreshMilliseconds: 5), live: [], from: .init(), at: now,
            correlationID: "c"
        ).session
        #expect(short.accessExpiresAt == short.refreshExpiresAt)
    }

    @Test("An old token ends the session, a session that is over stays over")
    func reuse() {
        let session = issue()
        guard case .reused(let ended, let event) = refresh(session, isCurrent: false, after: 1) else {
            Issue.record("an old token was good")
            return
        }
        #expect(ended.revokedAt == now.adding(milliseconds: 1))
        guard case .auth(.sessionRevoked(let revoked)) = event.event else {
            Issue.record("\(event.event.type)")
            return
        }
        #expect((revoked.reason, revoked.peer) == ("refresh_token_reused", "::1"))
        for (session, milliseconds) in [(ended, 2), (session, 10_000)] as [(AuthSession, Int64)] {
            for isCurrent in [true, false] {
                guard case .over = refresh(session, isCurrent: isCurrent, after: milliseconds) else {
                    Issue.record("it came back")
                    return
                }
            }
        }
    }

    @Test("One session too many ends the one that was used the longest time ago")
    func limit() {
        let live = (0..<AuthRules.sessionsMax).map { number in
            var session = issue(SessionID("ses_\(number)"))
            session.lastSeenAt = now.adding(milliseconds: number == 7 ? -1 : Int64(number))
            return session
        }
        let issued = SessionDecider.issue(
            "ses_new", to: owner, lifetimes, live: live, from: .init(), at: now, correlationID: "c")
        #expect(issued.ended.map(\.sessionID) == ["ses_7"])
        #expect(issued.events.map(\.event.type) == ["auth.session.revoked", "auth.session.issued"])
        #expect(issued.ended.first?.revokedReason == "session_limit")
    }
}

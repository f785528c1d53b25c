import Domain
import Shared

extension Moment {
    /// Something happens to a session; no read model shows it, and none may stumble over it.
    func session() throws {
        let workspace = pick(Self.workspaces)!
        let owner = Owner(ownerID: id(), workspaceID: workspace, principalID: "p", displayName: word)
        let lifetimes = SessionDecider.Lifetimes(accessMilliseconds: 1_000, refreshMilliseconds: 2_000)
        let origin = SessionDecider.Origin(peer: pick([nil, "127.0.0.1"])!, userAgent: word)
        let issued = SessionDecider.issue(
            id(), to: owner, lifetimes, live: [], from: origin, at: now, correlationID: "c")
        switch roll(5) {
        case 0: try record(SessionDecider.createOwner(owner, from: origin, by: owner.actor, correlationID: "c"))
        case 1: try record(issued.events)
        case 2: try record(SessionDecider.loginFailed(owner, from: origin, correlationID: "c"))
        case 3: try record(SessionDecider.logOut(issued.session, from: origin, at: now, correlationID: "c").1)
        default:
            let refreshed = SessionDecider.refresh(
                issued.session, isCurrent: roll(2) == 0, lifetimes, from: origin, at: now, correlationID: "c")
            switch refreshed {
            case .rotated(_, let event), .reused(_, let event): try record(event)
            case .over: break
            }
        }
    }
}

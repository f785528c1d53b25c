import Crypto
import HTTP
import JSON
import Shared

/// The check that makes a lease safe: whoever writes to a run must hold it now, by token, not by time alone
/// (`contract/README.md` 9). It is made in the transaction of the write.
enum Fence {
    static func digest(_ claimToken: String) -> String { SHA256.text(Array(claimToken.utf8)) }

    /// - Throws: `lease_token_mismatch` or `lease_expired`; the run's state is the caller's business.
    static func check(_ run: Run, _ lease: Lease?, token: String?, _ caller: Caller, leaseClockMs: Int64)
        throws(Rejection)
    {
        guard let token else {
            // Only people may write without holding the run, and the events show them as the actor.
            if caller.isPerson { return }
            throw Rejection(.missingClaimToken, "claim_token is required: send it as a field or as x-claim-token")
        }
        guard let lease, ConstantTime.equal(lease.tokenDigest, digest(token)), lease.attemptNo == run.attemptNo else {
            throw mismatch(run)
        }
        if case .engine(let engine, _) = caller, lease.engineID != engine.engineID { throw mismatch(run) }
        guard lease.expiresAtMonotonicMs > leaseClockMs else {
            throw Rejection(.leaseExpired, "the lease has run out; stop all work on the run and claim again")
        }
    }

    private static func mismatch(_ run: Run) -> Rejection {
        Rejection(
            .leaseTokenMismatch, "the claim token is not that of the run's holder; stop all work on the run",
            details: ["run_id": .string(run.runID.rawValue), "status": .string(run.status.rawValue)])
    }
}

extension Work {
    /// The run's lease, once the caller has shown that it may write to the run.
    @discardableResult
    func fence(_ run: Run, _ context: RequestContext, token: String?) throws -> Lease? {
        let lease = try LeaseTable.find(run.runID, transaction)
        let token = token ?? context.request.fields[.xClaimToken]
        try context.requireRoom(run.roomID)
        try Fence.check(run, lease, token: token, context.caller, leaseClockMs: try leaseClockMs())
        return lease
    }
}

extension RequestContext {
    /// An engine's token may be good for some rooms only.
    func requireRoom(_ room: RoomID?) throws(Rejection) {
        guard case .engine(_, let token) = caller, !token.scopes.rooms.contains("*") else { return }
        guard !token.scopes.rooms.isEmpty else {
            throw Rejection(.engineRoomScopeRequired, "the engine's token is good for no room")
        }
        guard let room, token.scopes.rooms.contains(room.rawValue) else {
            throw Rejection(.engineRoomNotAllowed, "the engine's token is not good for this room")
        }
    }
}

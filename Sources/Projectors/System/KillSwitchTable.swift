package import DatabaseCore
import Domain
import EventStore
package import Shared

/// `proj_kill_switch`: one row for the instance; all the SQL that touches it is in this file.
package enum KillSwitchTable {
    /// The row's key and its state.
    struct Instance: Sendable {
        var scope = "external_write"
        var state = KillSwitch()
    }

    static let table = Table<Instance>(
        "proj_kill_switch", keys: ["scope"], remembersRows: true, blank: Instance(),
        columns: [
            Column("scope", \.scope),
            Column("engaged_by_operator", \.state.engagedByOperator),
            Column("engaged_by_environment", \.state.engagedByEnvironment),
            Column("epoch", \.state.epoch),
            Column("reason", \.state.reason),
            Column("changed_by_type", \.state.changedByType),
            Column("changed_by_id", \.state.changedByID),
            Column("changed_at", \.state.changedAt),
        ])

    static let projector = Projector(table) { recorded, transaction in
        guard case .system(let event) = recorded.event else { return }
        switch event {
        case .killSwitchEngaged, .killSwitchLifted:
            try table.fold(Instance().scope, in: transaction) { instance in
                KillSwitchDecider.evolve(instance?.state, recorded.with(event)).map { Instance(state: $0) }
            }
        case .apiStarted, .apiStopped, .configurationReloaded, .eventErased, .eventRedacted, .secretLeakedDetected:
            break
        }
    }

    /// The state now; lifted where nothing has ever been said.
    package static func state(_ transaction: any ReadTransaction) throws -> KillSwitch {
        try table.find(Instance().scope, in: transaction)?.state ?? KillSwitch()
    }
}

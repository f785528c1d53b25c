import API
import CLI
import Domain
import HTTP
import JSON
import Platform
import Projectors
import Shared
import TestSupport
import Testing

/// Reference pages are printed from the code. `UPDATE_REFERENCE=1 swift test --filter ReferenceTests` writes them anew.
@Suite("The reference pages are what the code says:")
struct ReferenceTests {
    @Test("reason codes")
    func reasonCodes() throws {
        var page = title(
            "Reason codes",
            "Every refusal carries one as `error` and `reason_code`. A code never changes; new ones may come.")
        page += "| status | code |\n|---|---|\n"
        let codes = ReasonCode.allCases.sorted { ($0.status.code, $0.rawValue) < ($1.status.code, $1.rawValue) }
        for code in codes { page += "| \(code.status.code) | `\(code.rawValue)` |\n" }
        try compare("REASON_CODES.md", page)
    }

    @Test("no reason code that nothing refuses with")
    func usedCodes() throws {
        try withAPI { api in
            var used = Set(api.application.endpoints.flatMap(\.refusals))
            // Of requests that reach no endpoint; and what the gate says where it does not refuse.
            used.formUnion([.methodNotAllowed, .protocolError, .routeNotFound])
            used.formUnion([
                .actionIrreversibleRequiresHighStakes, .actionPreApprovalRequired, .actionZoneMismatch,
                .actionZoneRequiresHighStakes, .externalWriteRequiresApproval,
            ])
            #expect(Set(ReasonCode.allCases).subtracting(used).map(\.rawValue).sorted() == [])
        }
    }

    @Test("lifecycles")
    func lifecycles() throws {
        var page = title(
            "Lifecycles", "What can happen to a run. A trigger that is not listed for a status is refused (409).")
        page += "| status | trigger | becomes | event | by way of | who |\n|---|---|---|---|---|---|\n"
        for status in RunStatus.allCases {
            for trigger in RunLifecycle.Trigger.allCases {
                guard let transition = RunLifecycle.transition(status, by: trigger) else { continue }
                page +=
                    "| \(status.rawValue) | \(trigger.rawValue) | \(transition.to.rawValue) | `\(transition.event)` |"
                page += " \(transition.route) | \(transition.who) |\n"
            }
        }
        try compare("LIFECYCLES.md", page)
    }

    @Test("events")
    func events() throws {
        var page = title(
            "Events",
            "Every event type with an example of its `data`. Members that are nil are not there. Types and members are never"
                + " changed, only added.")
        for type in EventCatalogue.types {
            let golden = try Repository.text("Tests/SharedTests/Golden/\(type).json")
            page += "## `\(type)`\n\n```json\n\(golden.trimmingEnd)\n```\n\n"
            if let reason = Unprojected.reasons[type] { page += "In no read model: \(reason).\n\n" }
        }
        page += "## Not recorded yet\n\nTypes of the v1.1 catalogue whose producers are not built yet:\n\n"
        for (types, reason) in Self.notRecordedYet { page += "- \(types): \(reason)\n" }
        try compare("EVENTS.md", page.trimmingEnd + "\n")
    }

    private static let notRecordedYet = [
        (
            "`egress.requested`, `egress.allowed`, `egress.blocked`, `quota.exceeded`",
            "there is no egress gateway yet; the engine refuses by itself what is not global unicast"
        ),
        ("`agent.*`, `autonomy.*`, `skill.*`, `secret.upserted`, `secret.accessed`", "agents, skills and the vault"),
        ("`lease.*`, `message.created` by agents, `promotion.evaluated`", "work items and the promotion loop"),
        ("`data.access.*`, `daily.agent.snapshot`, `finance.usage_recorded`", "labels, snapshots and budgets"),
    ]

    @Test("plans")
    func plans() throws {
        var page = title(
            "Plans", "What `input.plan` of a run may say. A wrong plan is `plan_invalid` with a pointer to every fault."
        )
        page += PlanPage.text
        try compare("PLANS.md", page)
    }

    @Test("endpoints")
    func endpoints() throws {
        var page = title(
            "Endpoints",
            "Every route and who may use it. `GET` also answers `HEAD`; every path answers `OPTIONS` with `Allow`. Errors are"
                + " `application/problem+json`.")
        try withAPI { api in page += EndpointPage(api.application.endpoints).text }
        try compare("ENDPOINTS.md", page)
    }

    @Test("the command line")
    func commandLine() throws {
        var page = title(
            "The command line",
            "`aos`: every command, as `aos help` tells of it. `aos help --man` prints the same as a man page.")
        page += ReferencePage(CommandTable.all).text
        try compare("CLI.md", page)
    }

    @Test("the interface as OpenAPI")
    func openAPI() throws {
        try withAPI { api in
            let document = OpenAPIDocument.make(api.application.endpoints)
            try compare("openapi.json", JSON.pretty(document) + "\n")
            #expect(try api.stranger.get("/openapi.json").response.body == JSON.write(document))
        }
    }

    @Test("every setting that a program knows")
    func settings() throws {
        let page = try Repository.text("docs/reference/CONFIGURATION.md")
        for name in Settings.knownNames {
            #expect(page.contains("`\(name)`"), "docs/reference/CONFIGURATION.md does not tell of \(name)")
        }
    }

    private func title(_ title: String, _ about: String) -> String {
        "# \(title)\n\nPrinted from the code; do not edit.\n\n\(about)\n\n"
    }

    private func compare(_ name: String, _ page: String) throws {
        let path = "docs/reference/\(name)"
        if Program.environment()["UPDATE_REFERENCE"] == "1" {
            try Files.makeFolder("\(Repository.root)/docs/reference", mode: 0o755)
            try Files.writeAtomically(Array(page.utf8), to: "\(Repository.root)/\(path)", mode: 0o644)
        }
        let found = (try? Repository.text(path)) ?? ""
        #expect(found == page, "\(path) is stale: UPDATE_REFERENCE=1 swift test --filter ReferenceTests")
    }
}

extension String {
    fileprivate var trimmingEnd: String {
        var text = self
        while text.last?.isNewline == true { text.removeLast() }
        return text
    }
}

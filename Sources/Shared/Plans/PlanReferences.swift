import JSON

/// Checks what the steps of a plan say of each other: ids, needs, and the steps that templates name.
struct PlanReferences {
    private let drafts: [StepDraft]
    private let log: FaultLog
    private let places: [PlanStepID: Int]

    init(drafts: [StepDraft], log: FaultLog) {
        self.drafts = drafts
        self.log = log
        places = Dictionary(drafts.enumerated().compactMap { place, draft in draft.id.map { ($0, place) } }) {
            first, _ in
            first
        }
    }

    func check() {
        checkUniqueness()
        checkNeeds()
        checkCycles()
        checkTemplates()
    }

    private func checkUniqueness() {
        for (place, draft) in drafts.enumerated() {
            guard let id = draft.id, let first = places[id], first != place else { continue }
            log.add(
                draft.pointer.member("id"),
                "expected each id once, found \(quoted(id.rawValue)) again, first at \(drafts[first].pointer.text);"
                    + " rename it")
        }
    }

    private func checkNeeds() {
        for draft in drafts {
            for need in draft.needs where places[need.id] == nil {
                log.add(
                    need.place,
                    "expected the id of a step of this plan, found \(quoted(need.id.rawValue));"
                        + " add that step or take the need out")
            }
        }
    }

    private func checkCycles() {
        var walk = CycleWalk(needs: drafts.map { $0.needs.map { places[$0.id] } })
        for place in drafts.indices { walk.visit(place) }
        for edge in walk.closingEdges {
            let names = edge.cycle.map { drafts[$0].id?.rawValue ?? "?" }
            log.add(
                drafts[edge.step].needs[edge.need].place,
                "expected needs without a cycle, found \((names + [names[0]]).joined(separator: " needs "));"
                    + " take one of these needs out")
        }
    }

    private func checkTemplates() {
        let known = Set(places.keys)
        for (place, draft) in drafts.enumerated() {
            let scope = TemplateCheck.Scope(step: draft.id, known: known, needed: needed(by: place))
            TemplateCheck(tool: draft.tool, log: log)
                .check(draft.arguments, in: scope, at: draft.pointer.member("with"))
        }
    }

    /// All steps that one needs, directly or not.
    private func needed(by place: Int) -> Set<PlanStepID> {
        var needed: Set<PlanStepID> = []
        var open = drafts[place].needs.map(\.id)
        while let id = open.popLast() {
            guard needed.insert(id).inserted, let next = places[id] else { continue }
            open += drafts[next].needs.map(\.id)
        }
        return needed
    }
}

/// Finds needs that close a cycle, by depth first search.
private struct CycleWalk {
    /// For each step the places of its needs, nil for those that are not there.
    let needs: [[Int?]]
    private(set) var closingEdges: [(step: Int, need: Int, cycle: [Int])] = []
    private var path: [Int] = []
    private var isDone: [Bool]

    init(needs: [[Int?]]) {
        self.needs = needs
        isDone = Array(repeating: false, count: needs.count)
    }

    mutating func visit(_ step: Int) {
        if isDone[step] { return }
        path.append(step)
        for (index, need) in needs[step].enumerated() {
            guard let need else { continue }
            if let start = path.firstIndex(of: need) {
                closingEdges.append((step, index, Array(path[start...])))
            } else {
                visit(need)
            }
        }
        path.removeLast()
        isDone[step] = true
    }
}

package import Platform
package import Shared

/// The folder in which a run's steps work.
package struct Workdir: Sendable {
    /// Absolute, without links.
    package let path: String
    package let folder: Folder
    /// Whether it is the engine's own and goes when the run has ended.
    package let isTemporary: Bool

    /// - Parameter path: Absolute and without links.
    package init(path: String, folder: Folder, isTemporary: Bool) {
        (self.path, self.folder, self.isTemporary) = (path, folder, isTemporary)
    }

    /// Opens the folder of the run; a fresh one is kept over claims of the same run on this machine.
    package static func open(
        _ plan: PlanWorkdir, run: RunID, workFolder: String, hidden: [String]
    ) throws(ToolFailure) -> Workdir {
        do throws(SystemError) {
            switch plan.isolation {
            case .temp:
                let path = temporaryPath(run, workFolder)
                try Files.makeFolder(path)
                guard let resolved = Files.resolved(path) else { throw SystemError("realpath", path) }
                return Workdir(path: resolved, folder: try Folder(resolved), isTemporary: true)
            case .none:
                guard let given = plan.path, let resolved = Files.resolved(given) else {
                    throw SystemError("open", plan.path ?? "the workdir", number: 2)
                }
                try refuse(resolved, hidden)
                return Workdir(path: resolved, folder: try Folder(resolved), isTemporary: false)
            case .worktree: throw SystemError("open", "a worktree, which is not available yet", number: 95)
            }
        } catch {
            throw ToolFailure("workdir_unavailable", "the workdir cannot be used: \(error)")
        }
    }

    package static func temporaryPath(_ run: RunID, _ workFolder: String) -> String { "\(workFolder)/\(run.rawValue)" }

    /// The product's own folders are no place to work in.
    private static func refuse(_ path: String, _ hidden: [String]) throws(SystemError) {
        let isOurs = hidden.contains { path == $0 || path.hasPrefix($0 + "/") }
        if path == "/" || isOurs { throw SystemError("open", path, number: 1) }
    }

    /// Removes the folder if it is the engine's own.
    package func removeIfTemporary() throws(SystemError) {
        if isTemporary { try Files.removeTree(path) }
    }
}

import CLinux
import Synchronization

/// Kills what this program has started when this program is killed itself, whatever state that was in.
///
/// A death signal reaches only the child that has asked for it already: one that is being set up at that moment, and its
/// own children, would live on. So a small process of its own hears from us what runs, and kills the rest when we are
/// gone: by process group, and by a mark in the environment for what was started in our last moment. It needs nothing
/// but a shell and grep.
enum Sentinel {
    private static let script = """
        trap '' HUP INT TERM
        live=' '
        while read -r sign pid; do
            case $sign in
                +) live="$live$pid " ;;
                -) case $live in *" $pid "*) live="${live%% $pid *} ${live#* $pid }" ;; esac ;;
            esac
        done
        for pid in $live; do kill -KILL "-$pid"; done
        for pause in 0 0.05 0.2 1; do
            sleep $pause
            for file in $(grep -lsxzF -e "$1" /proc/[0-9]*/environ); do
                pid=${file#/proc/}
                kill -KILL "${pid%/environ}"
            done
        done
        """

    private struct Line {
        var writer: Descriptor
        var mark: (name: String, value: String)
    }

    private static let line = Mutex<Line?>(nil)

    /// Starts it, once. Without it everything works, and a kill may leave something behind.
    static func start() {
        guard let pipe = try? Descriptor.pipe(), let nothing = try? Descriptor.openToWrite("/dev/null") else { return }
        // Not one of our settings, which begin with AOS_: our own programs would refuse it.
        let mark = (name: "_AOS_SENTINEL", value: SystemEntropy().bytes(12).map { String($0, radix: 36) }.joined())
        let texts = ["sh", "-c", script, "sentinel", "\(mark.name)=\(mark.value)"]
        let words: [UnsafeMutablePointer<CChar>?] = texts.map { (text: String) in strdup(text) } + [nil]
        defer { for word in words { free(word) } }
        var nobody: [UnsafeMutablePointer<CChar>?] = [nil]
        var pid: pid_t = 0
        let handed = [pipe.reader.number, nothing.number, nothing.number]
        guard aos_spawn_with(&pid, "/bin/sh", words, &nobody, "/", handed, Int32(handed.count)) == 0 else { return }
        line.withLock { $0 = Line(writer: pipe.writer, mark: mark) }
    }

    /// What the environment of everything we start has to hold.
    static var mark: (name: String, value: String)? { line.withLock { $0?.mark } }

    /// The leader of a process group, right after it was started.
    static func watch(_ pid: Int32) { say("+ \(pid)\n") }

    /// Nothing of it is left.
    static func forget(_ pid: Int32) { say("- \(pid)\n") }

    /// One write of less than a pipe takes at once, so that lines never mix. If nobody reads any more, so be it.
    private static func say(_ text: String) {
        line.withLock { line in
            guard let writer = line?.writer else { return }
            do throws(SystemError) { try writer.writeAll(Array(text.utf8)) } catch { line = nil }
        }
    }
}

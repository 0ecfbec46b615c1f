internal import CLinux
internal import Glibc

/// No process outlives the one that started it.
public enum ParentDeath {
    /// Has the kernel kill this process when its parent dies; false if the parent is gone already, then end at once.
    ///
    /// To be called first thing. The signal follows the thread that spawned us, not only the process. A parent that died
    /// before the call would go unnoticed without the comparison.
    /// - Parameter expectedParent: the parent's number, handed down by itself.
    public static func arrange(expectedParent: CInt) -> Bool {
        linux_set_parent_death_signal(SIGKILL) == 0 && getppid() == expectedParent
    }
}

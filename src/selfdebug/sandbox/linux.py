"""Raw Linux system calls through ctypes, for x86_64 and aarch64; nothing is decided here.

python -c "from selfdebug.sandbox.linux import syscall; print(syscall('getpid'))"
"""

from __future__ import annotations

import ctypes
import os

MACHINE = os.uname().machine

# name, number on x86_64, number on aarch64 (-1: it has none)
_TABLE = """
    access 21 -1; alarm 37 -1; arch_prctl 158 -1; bind 49 200; bpf 321 280; brk 12 214;
    capget 125 90; capset 126 91; chdir 80 49; chmod 90 -1; clock_getres 229 114;
    clock_gettime 228 113; clock_nanosleep 230 115; clone 56 220; clone3 435 435; close 3 57;
    close_range 436 436; connect 42 203; copy_file_range 326 285; dup 32 23; dup2 33 -1;
    dup3 292 24; epoll_create 213 -1; epoll_create1 291 20; epoll_ctl 233 21; epoll_pwait 281 22;
    epoll_pwait2 441 441; epoll_wait 232 -1; eventfd 284 -1; eventfd2 290 19; execve 59 221;
    exit 60 93; exit_group 231 94; faccessat 269 48; faccessat2 439 439; fadvise64 221 223;
    fallocate 285 47; fchdir 81 50; fchmod 91 52; fchmodat 268 53; fcntl 72 25; fdatasync 75 83;
    fgetxattr 193 10; flistxattr 196 13; flock 73 32; fork 57 -1; fstat 5 80; fstatfs 138 44;
    fsync 74 82; ftruncate 77 46; futex 202 98; futex_waitv 449 449; futimesat 261 -1;
    getcpu 309 168; getcwd 79 17; getdents 78 -1; getdents64 217 61; getegid 108 177;
    geteuid 107 175; getgid 104 176; getgroups 115 158; getitimer 36 102; getpeername 52 205;
    getpgid 121 155; getpgrp 111 -1; getpid 39 172; getppid 110 173; getpriority 140 141;
    getrandom 318 278; getresgid 120 150; getresuid 118 148; getrlimit 97 163; getrusage 98 165;
    getsid 124 156; getsockname 51 204; getsockopt 55 209; gettid 186 178; gettimeofday 96 169;
    getuid 102 174; getxattr 191 8; io_uring_setup 425 425; ioctl 16 29; keyctl 250 219;
    kill 62 129; landlock_add_rule 445 445; landlock_create_ruleset 444 444;
    landlock_restrict_self 446 446; lgetxattr 192 9; link 86 -1; linkat 265 37; listxattr 194 11;
    llistxattr 195 12; lseek 8 62; lstat 6 -1; madvise 28 233; membarrier 324 283;
    memfd_create 319 279; mincore 27 232; mkdir 83 -1; mkdirat 258 34; mmap 9 222; mount 165 40;
    mount_setattr 442 442; mprotect 10 226; mremap 25 216; msync 26 227; munmap 11 215;
    nanosleep 35 101; newfstatat 262 79; open 2 -1; open_by_handle_at 304 265; openat 257 56;
    openat2 437 437; pause 34 -1; perf_event_open 298 241; pidfd_open 434 434;
    pidfd_send_signal 424 424; pipe 22 -1; pipe2 293 59; pivot_root 155 41; poll 7 -1;
    ppoll 271 73; prctl 157 167; pread64 17 67; preadv 295 69; preadv2 327 286; prlimit64 302 261;
    process_vm_readv 310 270; pselect6 270 72; ptrace 101 117; pwrite64 18 68; pwritev 296 70;
    pwritev2 328 287; read 0 63; readlink 89 -1; readlinkat 267 78; readv 19 65; recvfrom 45 207;
    recvmsg 47 212; rename 82 -1; renameat 264 38; renameat2 316 276; restart_syscall 219 128;
    rmdir 84 -1; rseq 334 293; rt_sigaction 13 134; rt_sigpending 127 136; rt_sigprocmask 14 135;
    rt_sigreturn 15 139; rt_sigsuspend 130 133; rt_sigtimedwait 128 137;
    sched_get_priority_max 146 125; sched_get_priority_min 147 126; sched_getaffinity 204 123;
    sched_getparam 143 121; sched_getscheduler 145 120; sched_setaffinity 203 122;
    sched_yield 24 124; seccomp 317 277;
    select 23 -1; sendfile 40 71; sendmmsg 307 269; sendmsg 46 211; sendto 44 206;
    set_robust_list 273 99; set_tid_address 218 96; setitimer 38 103; setns 308 268;
    setpgid 109 154; setrlimit 160 164; setsid 112 157; setsockopt 54 208; shmget 29 194;
    shutdown 48 210; sigaltstack 131 132; socket 41 198; socketpair 53 199; stat 4 -1;
    statfs 137 43; statx 332 291; symlink 88 -1; symlinkat 266 36; sysinfo 99 179; tgkill 234 131;
    time 201 -1; timer_create 222 107; timer_delete 226 111; timer_getoverrun 225 109;
    timer_gettime 224 108; timer_settime 223 110; times 100 153; tkill 200 130; truncate 76 45;
    umask 95 166; umount2 166 39; uname 63 160; unlink 87 -1; unlinkat 263 35; unshare 272 97;
    userfaultfd 323 282; utime 132 -1; utimensat 280 88; utimes 235 -1; vfork 58 -1; wait4 61 260;
    waitid 247 95; write 1 64; writev 20 66;
"""

_COLUMN = {"x86_64": 1, "aarch64": 2}.get(MACHINE)

# Every system call that the sandbox names, by its number on this machine.
NUMBERS: dict[str, int] = {}
if _COLUMN:
    for _row in _TABLE.split(";"):
        _fields = _row.split()
        if _fields and _fields[_COLUMN] != "-1":
            NUMBERS[_fields[0]] = int(_fields[_COLUMN])

_libc = ctypes.CDLL(None, use_errno=True)
_raw = _libc.syscall
_raw.argtypes = (ctypes.c_long,) * 7
_raw.restype = ctypes.c_long


def syscall(name: str, *args: int) -> int:
    """Make a system call and return its result; raises OSError as the standard library would."""
    result: int = _raw(NUMBERS.get(name, -1), *args, *(0,) * (6 - len(args)))
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def prctl(option: int, value: int = 0) -> int:
    """Call prctl with one argument."""
    return syscall("prctl", option, value)


def text(value: str | None) -> ctypes.c_char_p:
    """Return a C string (or NULL); keep a reference while the kernel may read it."""
    return ctypes.c_char_p(None if value is None else os.fsencode(value))


def address(value: ctypes.c_char_p) -> int:
    """Return the pointer that a C string holds, 0 for NULL."""
    return ctypes.cast(value, ctypes.c_void_p).value or 0


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """Mount, bind or remount; the error names the target."""
    texts = text(source), text(target), text(kind), text(data)
    pointers = [address(item) for item in texts]
    try:
        syscall("mount", *pointers[:3], flags, pointers[3])
    except OSError as error:
        raise OSError(
            error.errno, f"{error.strerror} ({source or kind or ''} on {target})"
        ) from None


def set_capabilities(mask: int) -> None:
    """Make `mask` the effective and the permitted capabilities of this process."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    low, high = mask & 0xFFFFFFFF, mask >> 32
    data = (ctypes.c_uint32 * 6)(low, low, 0, high, high, 0)
    syscall("capset", ctypes.addressof(header), ctypes.addressof(data))


def capabilities() -> int:
    """Return the effective capabilities of this process."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    syscall("capget", ctypes.addressof(header), ctypes.addressof(data))
    return data[0] | data[3] << 32

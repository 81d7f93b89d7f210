# Kernels warn on every start that they talk over TCP; on one machine that is right.
c = get_config()  # noqa: F821
c.IPKernelApp.log_level = "ERROR"

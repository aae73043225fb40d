import os
print("hello", os.getcwd(), os.listdir("."), os.environ["MODEL_DIR"], os.environ.get("SCRATCH_DIR"), flush=True)

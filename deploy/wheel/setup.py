"""The wheel has programs of one platform, and works with any Python of it."""

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel


class ProgramsWheel(bdist_wheel):
    def get_tag(self):
        return ("py3", "none", super().get_tag()[2])


class HasPrograms(Distribution):
    def has_ext_modules(self):
        return True


setup(cmdclass={"bdist_wheel": ProgramsWheel}, distclass=HasPrograms)

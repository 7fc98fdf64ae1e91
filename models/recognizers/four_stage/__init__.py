"""The four-stage framework of Baek et al. (ICCV 2019): transformation, features, sequence, prediction.

May import no other room of `models`, only the files beside the rooms.
"""

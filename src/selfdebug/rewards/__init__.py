"""Rewards of reinforcement learning, one file each: how good are some words of a reply?"""

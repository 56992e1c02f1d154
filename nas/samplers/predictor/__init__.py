"""The default sampler: a Gaussian process predicts the reward of networks that were not trained."""

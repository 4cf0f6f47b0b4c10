(* What the theorems rest on: "Closed under the global context" is to be read as: on no axiom. *)
From mathcomp Require Import all_ssreflect all_algebra.
From ExactRelu Require Import Farkas Polyhedron Omnidirectional LayerInjectivity Expansivity InverseStability RowRemoval.
From ExactRelu Require Import ProductSound InverseSound ModularSound RankSound RaySound MarginSound TrivialSound.
From ExactRelu Require Import LayerPolyhedron DimensionSound EmptySound Soundness CollisionSound InjectivitySound.

(* the checker, over every ordered field, and over the rationals *)
Print Assumptions check_sound.
Definition check_sound_over_the_rationals := @check_sound rat_realFieldType.
Print Assumptions check_sound_over_the_rationals.

(* the steps of the checker *)
Print Assumptions bound_inverse_sound.
Print Assumptions correction_sound.
Print Assumptions invertible_modulo_sound.
Print Assumptions check_rank_sound.
Print Assumptions check_ray_sound.
Print Assumptions margin_holds_sound.
Print Assumptions check_trivial_sound.
Print Assumptions check_empty_sound.
Print Assumptions check_singleton_sound.
Print Assumptions check_dimension_sound.
Print Assumptions check_boundedness_sound.
Print Assumptions collision_sound.
Print Assumptions layer_injective_sound.

(* the theory *)
Print Assumptions farkas.
Print Assumptions singleton_iff_tight_cone_trivial.
Print Assumptions bounded_iff_recession_cone_trivial.
Print Assumptions singleton_or_segment.
Print Assumptions dimension_by_implicit_equalities.
Print Assumptions affine_dimension_unique.
Print Assumptions trivial_by_positive_dependency.
Print Assumptions omnidirectional_equivalences.
Print Assumptions unique_solution_iff_tight_rows_omnidirectional.
Print Assumptions layer_injective_iff_directed_spanning_sets.
Print Assumptions layer_with_negative_bias_injective.
Print Assumptions layer_without_negative_bias_row_not_injective.
Print Assumptions injective_layer_doubles_dimension.
Print Assumptions layer_with_biases_injective_iff_opposite_blocks.
Print Assumptions inverse_stability.
Print Assumptions quarter_is_best_constant.
Print Assumptions weakly_correlated_row_bounds_singular_values.
